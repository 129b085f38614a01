import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import type { AlertCode } from '../alerts/alert-codes.js';
import { raiseAlert } from '../alerts/raise-alert.js';
import { applyChunk, type ChunkOutcome, CursorMovedError } from '../apply/apply-chunk.js';
import { applyInLanes } from '../apply/apply-in-lanes.js';
import { DROP_INCOMING, INCOMING_LIFE_MS } from '../apply/incoming-entries.js';
import { OpenSetHeldError, type LaneOutcome } from '../apply/lanes.js';
import { failureKind } from '../apply/failure.js';
import { isAhead, type ReceivingTable, receivingTables } from '../apply/receiving-tables.js';
import type { Refusal } from '../apply/refusal.js';
import { releaseHeld } from '../apply/release-held.js';
import type { Chunk } from '../journal/chunk.js';
import { openClient, type OwnClient } from '../databases/own-client.js';
import { replicatedTables, type ReplicatedTable } from '../journal/replicated-tables.js';
import { noteSignOfLife, registerRegion } from '../regions/register-region.js';
import type { Delivery } from './link.js';
import type { NodeIdentity } from './node-identity.js';
import { SharedStreak } from './shared-streak.js';
import { Turns } from './turns.js';
import type { FailureCode } from '../observability/failures/failure-codes.js';

/** Longest silence of central before a link counts as hung, in milliseconds. */
const ANSWER_TIMEOUT_MS = 10_000;
/** The same for a sign of life, which comes after some seconds of rest: together they stay below 15 s. */
const SIGN_OF_LIFE_TIMEOUT_MS = 8_000;
/** Any number, the same in every process. With a region's code it names the lock of the one that sends for it. */
const LEADER_LOCK = 7_304_003;

/**
 * Central gives up by itself what a region that vanished has left behind: without this, an open transaction
 * would keep the cursor's lock for as long as TCP takes to notice, and every new attempt would wait behind it. And a
 * process that was stopped would lead for ever: its connections live on.
 */
const LIMITS = `
  SET statement_timeout = '9s';
  SET lock_timeout = '5s';
  SET idle_in_transaction_session_timeout = '15s';
  SET idle_session_timeout = '15s';
  DO $$ BEGIN
    PERFORM set_config('client_connection_check_interval', '2s', false);
  EXCEPTION WHEN OTHERS THEN NULL; -- Not every operating system can tell that a client is gone.
  END $$`;

/** A chunk of 2,000 entries is held more than once while it is applied, and by default on disk from 4 MB on. */
const WORK_MEMORY = `SET work_mem = '16MB'`;

/**
 * A line that broke without a word leaves a session at central that holds the lock until its time is out. This
 * process has no other session than the one that asks, so it need not wait for that.
 */
const END_OWN_GHOSTS = `
  SELECT pg_terminate_backend(pid, 1000) FROM pg_locks JOIN pg_stat_activity ghost USING (pid)
  WHERE locktype = 'advisory' AND classid = $1::int::oid AND objid = $2::int::oid AND objsubid = 2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND pid <> pg_backend_pid() AND application_name = current_setting('application_name')`;

const ALL_APPLIED: Delivery = { refused: 0, waiting: 0, held: 0, opened: 0 };

/** A change set that is larger than a chunk was refused; sent again, it will go to quarantine whole. */
export class LargeSetRefusedError extends Error {
  readonly code = 'LARGE_SET_REFUSED' satisfies FailureCode;

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
  /** Whether a transaction is open: no other chunk's statement may come into it. */
  private inTransaction = false;
  /** When what it keeps at central was last thrown away, by the monotonic clock. */
  private tidiedAt = performance.now();
  private readonly turns = new Turns();
  private readonly streak = new SharedStreak();

  private constructor(
    private readonly own: OwnClient,
    private readonly known: readonly ReplicatedTable[],
    private tables: ReadonlyMap<string, ReceivingTable>,
    /** Large change sets that central has refused, by key. They outlive the session. */
    private readonly refused: Map<string, Refusal>,
  ) {}

  /** `owner` names the process, at most 63 bytes: it is what the session is called at central. */
  static async open(
    source: DataSource,
    refused: Map<string, Refusal>,
    owner: string,
  ): Promise<CentralSession> {
    const known = replicatedTables(source);
    const own = await openClient(source, ANSWER_TIMEOUT_MS, { pipeline: true });
    try {
      await own.client.query(LIMITS);
      await own.client.query(WORK_MEMORY);
      await own.client.query(`SELECT set_config('application_name', $1, false)`, [owner]);
      return new CentralSession(own, known, await receivingTables(own.client, known), refused);
    } catch (error) {
      own.close();
      throw error;
    }
  }

  async ask<T extends object>(text: string, values: unknown[] = []): Promise<T[]> {
    const result = await this.client.query<T>(text, values);
    return result.rows;
  }

  /** The same, asked to see whether anybody answers. */
  async askForSignOfLife<T extends object>(text: string, values: unknown[]): Promise<T[]> {
    // A limit for one query is read by pg and missing in its types.
    const query = { text, values, query_timeout: SIGN_OF_LIFE_TIMEOUT_MS };
    const result = await this.turns.takeAlone(() => this.client.query<T>(query));
    return result.rows;
  }

  /**
   * Whether this session is the one that sends for the region. It is from the first yes on, for as long as it
   * lives: the lock is held by the very session that delivers, so nobody can lose the one and go on with the other.
   */
  async lead(region: string): Promise<boolean> {
    const lock = [LEADER_LOCK, numberOf(region)];
    const tryLock = async () =>
      (await this.ask<{ leads: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS leads', lock))[0]!.leads;
    if (await tryLock()) return true;
    const ended = await this.ask(END_OWN_GHOSTS, lock);
    return ended.length > 0 && tryLock();
  }

  /** Makes this node known to central. Throws as {@link registerRegion} does. */
  register(node: NodeIdentity): Promise<'registered' | 'known'> {
    return registerRegion(this.client, this.tables, node);
  }

  /** Throws when the node is known no longer, or its region was stopped: see {@link noteSignOfLife}. */
  noteSignOfLife(node: NodeIdentity): Promise<void> {
    return this.turns.takeAlone(async () => {
      await noteSignOfLife(this.client, node);
      if (performance.now() - this.tidiedAt < INCOMING_LIFE_MS) return;
      this.tidiedAt = performance.now();
      await this.client.query(DROP_INCOMING);
    });
  }

  /**
   * Looks at central's tables again, and applies what waited for them to be as they are now. Statements that have
   * become others by that are refused by the driver, under the names that they have: then the session is opened anew.
   */
  releaseHeld(region: string): Promise<void> {
    return this.turns.takeAlone(async () => {
      this.tables = await receivingTables(this.client, this.known);
      const { refused, opened } = await releaseHeld(this.client, this.tables);
      await this.tell('CHANGE_REFUSED', region, refused);
      await this.tell('CONFLICT_OPENED', region, opened);
    });
  }

  /**
   * A closed chunk goes to central at once, also behind another that central has not answered yet: it finds the cursor
   * elsewhere, and does nothing, unless that one was applied.
   */
  deliver(chunk: Chunk): Promise<Delivery> {
    const isWhole = () => chunk.closed && !this.inTransaction;
    const isTried = isWhole() && !this.turns.isReserved && !this.streak.goesOn;
    const attempt = isTried ? this.attempt(chunk) : undefined;
    // It is looked at in its turn, which does not come when an earlier chunk failed.
    void Promise.allSettled([attempt]);
    return this.turns.take(() => (isWhole() ? this.deliverWhole(chunk, attempt) : this.deliverPart(chunk)));
  }

  close(): void {
    this.own.close();
  }

  private get client(): ClientBase {
    return this.own.client;
  }

  /** `refused`: it cannot be applied as it is. Throws what may not happen again. */
  private async attempt(chunk: Chunk): Promise<ChunkOutcome | 'refused'> {
    if (isAhead(this.tables, chunk.tables)) return 'refused';
    try {
      return await applyChunk(this.client, this.tables, chunk);
    } catch (error) {
      if (failureKind(error) === 'transient') throw error;
      return 'refused';
    }
  }

  private async deliverWhole(chunk: Chunk, attempt?: Promise<ChunkOutcome | 'refused'>): Promise<Delivery> {
    if (!attempt && this.streak.goesOn) this.streak.untried();
    else if ((await this.outcomeOf(chunk, attempt)) === 'applied') return ALL_APPLIED;
    await this.begin();
    const delivery = await this.inLanes(chunk);
    await this.commit();
    return delivery;
  }

  private async outcomeOf(chunk: Chunk, attempt = this.attempt(chunk)): Promise<ChunkOutcome | 'refused'> {
    const outcome = await attempt.catch((error: unknown) => {
      // The chunk before it was still to be taken apart then.
      if (error instanceof CursorMovedError) return this.attempt(chunk);
      throw error;
    });
    this.streak.tried(outcome === 'shared');
    return outcome;
  }

  /** A part of a change set that is larger than a chunk, in the transaction that its end will commit. */
  private async deliverPart(chunk: Chunk): Promise<Delivery> {
    if (!this.inTransaction) await this.begin();
    const delivery = await this.applyPart(chunk);
    this.openSets = chunk.openSets;
    if (chunk.closed) {
      await this.commit();
      this.refused.clear();
    }
    return delivery;
  }

  private async applyPart(chunk: Chunk): Promise<Delivery> {
    if (this.refused.size > 0 || isAhead(this.tables, chunk.tables)) return this.inLanes(chunk);
    await this.ask('SAVEPOINT part');
    try {
      const outcome = await applyChunk(this.client, this.tables, chunk);
      await this.ask('RELEASE SAVEPOINT part');
      if (outcome === 'applied') return ALL_APPLIED;
    } catch (error) {
      if (failureKind(error) === 'transient') throw error;
      // What was refused need not be of the set that goes on: others may lie in between.
      await this.ask('ROLLBACK TO SAVEPOINT part');
      await this.ask('RELEASE SAVEPOINT part');
    }
    return this.inLanes(chunk);
  }

  private async begin(): Promise<void> {
    this.inTransaction = true;
    await this.ask('BEGIN');
  }

  private async commit(): Promise<void> {
    await this.ask('COMMIT');
    this.inTransaction = false;
  }

  /** National administrators are told at central, regional ones when the conflict comes down to them. */
  private async tell(code: AlertCode, subject: string, count: number): Promise<void> {
    if (count === 0) return;
    await raiseAlert((sql, values) => this.ask(sql, values), { code, subject, count });
  }

  /** A set that goes on behind the chunk cannot be judged by its part: then it is sent again, and refused whole. */
  private async inLanes(chunk: Chunk): Promise<LaneOutcome> {
    const open = new Set([...this.openSets, ...chunk.openSets]);
    try {
      const outcome = await applyInLanes(this.client, this.tables, chunk, { refused: this.refused, open });
      await this.tell('CONFLICT_OPENED', chunk.origin, outcome.opened);
      return outcome;
    } catch (error) {
      if (!(error instanceof OpenSetHeldError)) throw error;
      this.refused.set(error.key, error.refusal);
      throw new LargeSetRefusedError(error.refusal);
    }
  }
}

/** A region's code, at most four capital letters, as the integer that a lock takes. */
function numberOf(code: string): number {
  return [...code].reduce((number, letter) => number * 128 + letter.charCodeAt(0), 0);
}
