import { Injectable } from '@nestjs/common';
import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import type { Principal } from '../accounts/principal.js';
import { discardSet, type DiscardRefusal } from '../apply/discard-set.js';
import { type ReceivingTable, receivingTables } from '../apply/receiving-tables.js';
import { retryLanes, type Decision } from '../apply/retry-lanes.js';
import { Config } from '../config/config.js';
import { openClient } from '../databases/own-client.js';
import { Problem } from '../http/problem.js';
import { heldLanes, QuarantinedLanes } from '../journal/quarantined-lanes.js';
import { replicatedTables } from '../journal/replicated-tables.js';
import { DataRouter } from '../routing/data-router.js';
import type { DecisionOutcomeDto } from './quarantine.dto.js';

const REFUSALS: Readonly<Record<DiscardRefusal, string>> = {
  'not held': 'It has been applied or discarded already.',
  'not first': 'It waits behind a refused change of the same patient: decide that one first.',
  'held for upgrade': 'It waits until central is upgraded, and is applied by itself then.',
  'holds an insert': 'It creates a record, which lives on in its region: correct the cause and retry.',
};

/** A lane may hold a day's changes. Milliseconds. */
const DECISION_TIMEOUT_MS = 30_000;

interface Held {
  readonly lane: string;
  readonly state: string;
}

type Tables = ReadonlyMap<string, ReceivingTable>;

/** What a person decides about what is in quarantine, carried out at central, in one transaction each. */
@Injectable()
export class QuarantineDecisions {
  constructor(
    private readonly router: DataRouter,
    private readonly config: Config,
    private readonly lanes: QuarantinedLanes,
  ) {}

  /** Applies the lane of the entry again, in order. */
  retry(id: string, caller: Principal, reason: string): Promise<DecisionOutcomeDto> {
    const decision = decisionOf(caller, reason);
    return this.atCentral(async (client, tables) => {
      const { lane, state } = await held(client, id, caller);
      if (!['refused', 'waiting', 'held'].includes(state)) throw refusal('not held');
      return retryLanes(client, tables, [lane], decision);
    });
  }

  /** Drops the change set of the entry, and applies what waited behind it. */
  discard(id: string, caller: Principal, reason: string): Promise<DecisionOutcomeDto> {
    const decision = decisionOf(caller, reason);
    return this.atCentral(async (client, tables) => {
      await held(client, id, caller);
      const outcome = await discardSet(client, tables, id, decision);
      if (typeof outcome === 'string') throw refusal(outcome);
      return retryLanes(client, tables, outcome.lanes, decision);
    });
  }

  private async atCentral<T>(work: (client: ClientBase, tables: Tables) => Promise<T>): Promise<T> {
    const source = this.router.centralSource();
    const { client, close } = await openClient(source, DECISION_TIMEOUT_MS, { pipeline: true });
    try {
      await client.query('BEGIN');
      const result = await work(client, await receivingTables(client, replicatedTables(source)));
      await client.query('COMMIT');
      await this.tellRegion(source);
      return result;
    } finally {
      // What was not committed is rolled back with the session.
      close();
    }
  }

  /** This node hears of decisions made elsewhere with the next sign of life; of its own at once. */
  private async tellRegion(source: DataSource): Promise<void> {
    if (this.config.mode === 'central') return;
    await this.lanes.reduce(await heldLanes((sql, values) => source.query(sql, values), this.config.region));
  }
}

/** Throws a 404 {@link Problem} for what the caller may not know of. */
async function held(client: ClientBase, id: string, { region }: Principal): Promise<Held> {
  const { rows } = await client.query<Held>(
    'SELECT lane, state FROM quarantine WHERE id = $1 AND ($2::text IS NULL OR origin = $2)',
    [id, region],
  );
  if (!rows[0]) throw new Problem(404, 'not-found', 'There is no such change in quarantine');
  return rows[0];
}

function decisionOf({ id, fullName }: Principal, reason: string): Decision {
  return { by: id, byName: fullName, reason };
}

function refusal(kind: DiscardRefusal): Problem {
  return new Problem(409, 'quarantine-decision-refused', 'This cannot be decided so', {
    detail: REFUSALS[kind],
  });
}
