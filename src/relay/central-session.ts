import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import { applyChunk } from '../apply/apply-chunk.js';
import { applyInLanes, type LaneOutcome, type Refusal } from '../apply/apply-in-lanes.js';
import { codeOf, failureKind } from '../apply/failure.js';
import type { Chunk } from '../journal/chunk.js';
import { replicatedTables, type ReplicatedTable } from '../journal/replicated-tables.js';
import { leaseClient, type LeasedClient } from '../databases/leased-client.js';
import type { Delivery } from './link.js';

/** Longest silence of central before a link counts as hung, in milliseconds. */
const ANSWER_TIMEOUT_MS = 8_000;

const ALL_APPLIED: Delivery = { refused: 0, waiting: 0 };

/** A change set that is larger than a chunk was refused; sent again, it will go to quarantine whole. */
export class LargeSetRefusedError extends Error {
  readonly code = 'LARGE_SET_REFUSED';

  constructor(refusal: Refusal) {
    super(
      `A change set larger than a chunk was refused (${refusal.code}); sent again, it goes to quarantine`,
    );
    this.name = 'LargeSetRefusedError';
  }
}

/** One connection to central's database, and what it has in hand. */
export class CentralSession {
  /** Change sets that earlier chunks of the running transaction left open. */
  private openSets: readonly string[] = [];

  private constructor(
    private readonly leased: LeasedClient,
    private readonly tables: ReadonlyMap<string, ReplicatedTable>,
    /** Large change sets that central has refused, by key. They outlive the session. */
    private readonly refused: Map<string, Refusal>,
  ) {}

  static async open(source: DataSource, refused: Map<string, Refusal>): Promise<CentralSession> {
    const tables = new Map(replicatedTables(source).map((table) => [table.name, table]));
    return new CentralSession(await leaseClient(source), tables, refused);
  }

  /** Asks one question of central, for at most eight seconds. */
  async ask<T extends object>(text: string, values: unknown[] = []): Promise<T[]> {
    const query = { text, values, query_timeout: ANSWER_TIMEOUT_MS };
    const result = await this.client.query<T>(query);
    return result.rows;
  }

  async deliver(chunk: Chunk): Promise<Delivery> {
    if (chunk.closed && this.openSets.length === 0) return this.deliverClosed(chunk);
    if (this.openSets.length === 0) await this.ask('BEGIN');
    const delivery = await this.deliverPart(chunk);
    this.openSets = chunk.openSets;
    if (chunk.closed) {
      await this.ask('COMMIT');
      for (const key of this.refused.keys()) this.refused.delete(key);
    }
    return delivery;
  }

  close(): void {
    // Closed, not given back, so that central rolls back whatever was open.
    this.leased.release(new Error('The link was closed'));
  }

  private get client(): ClientBase {
    return this.leased.client;
  }

  private async deliverClosed(chunk: Chunk): Promise<Delivery> {
    try {
      if ((await applyChunk(this.client, this.tables, chunk)) === 'applied') return ALL_APPLIED;
    } catch (error) {
      if (failureKind(error) === 'transient') throw error;
    }
    await this.ask('BEGIN');
    const outcome = await this.inLanes(chunk);
    await this.ask('COMMIT');
    return outcome;
  }

  /** A part of a change set that is larger than a chunk, inside the transaction that its end will commit. */
  private async deliverPart(chunk: Chunk): Promise<Delivery> {
    if (this.refused.size > 0) return this.inLanes(chunk);
    try {
      if ((await applyChunk(this.client, this.tables, chunk)) === 'applied') return ALL_APPLIED;
    } catch (error) {
      if (failureKind(error) === 'transient') throw error;
      throw this.refuseOpenSets(chunk, { code: codeOf(error), message: (error as Error).message });
    }
    throw this.refuseOpenSets(chunk, {
      code: 'LANE_HELD',
      message: 'One of its patients waits in quarantine',
    });
  }

  /** What was applied of them so far is rolled back with the session. */
  private refuseOpenSets(chunk: Chunk, refusal: Refusal): LargeSetRefusedError {
    for (const key of [...this.openSets, ...chunk.openSets]) this.refused.set(key, refusal);
    return new LargeSetRefusedError(refusal);
  }

  private async inLanes(chunk: Chunk): Promise<LaneOutcome> {
    return applyInLanes(this.client, this.tables, chunk, this.refused);
  }
}
