import type { ClientBase } from 'pg';
import type { Chunk } from '../journal/chunk.js';
import { ENTRY_COLUMN_NAMES } from '../journal/entry-columns.js';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import { chunkValues, CursorMovedError, OPENED_CHUNK } from './apply-chunk.js';
import { codeOf, failureKind } from './failure.js';
import { concurrentPositions, lockShared } from './incoming-entry.js';
import { mergeSet } from './merge-set.js';
import { expectations, knownTables, writeSteps } from './write-entries.js';

/** The entries of one transaction: applied together, or held together. */
interface ChangeSet {
  readonly key: string;
  readonly positions: readonly number[];
  readonly lanes: readonly string[];
}

/** A reason to hold a change set without trying it. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

export interface LaneOutcome {
  readonly applied: number;
  /** Entries that went to quarantine because they failed, and because they wait behind one that did. */
  readonly refused: number;
  readonly waiting: number;
  /** Conflicts that were opened, and wait for a person. */
  readonly opened: number;
}

/** A part of a change set that goes on in the next chunk would have to be held: it must be held whole. */
export class OpenSetHeldError extends Error {
  constructor(
    readonly key: string,
    readonly refusal: Refusal,
  ) {
    super(`The change set ${key} goes on in the next chunk and cannot be held in part`);
    this.name = 'OpenSetHeldError';
  }
}

/** What is known of change sets (`incarnation.changeSet`) before a chunk is tried. */
export interface KnownSets {
  /** Held without being tried again. */
  readonly refused: ReadonlyMap<string, Refusal>;
  /** Began before the chunk, or go on behind it. */
  readonly open: ReadonlySet<string>;
}

/**
 * Applies a chunk that the receiver did not accept at once: finds the change sets that cannot be applied, by
 * halves, puts them into quarantine whole, parks whatever comes later in their patients' lanes, and applies all
 * the others. In the transaction that is open on `client`, with the cursor.
 *
 * Throws {@link OpenSetHeldError}, and leaves the transaction to be rolled back, when only a part of a change
 * set could be held.
 */
export async function applyInLanes(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  chunk: Chunk,
  known: KnownSets,
): Promise<LaneOutcome> {
  await client.query(
    'CREATE TEMPORARY TABLE incoming_entries ON COMMIT DROP AS SELECT * FROM journal WITH NO DATA',
  );
  await client.query('ALTER TABLE incoming_entries ADD position bigint');
  await client.query({
    text: `INSERT INTO incoming_entries (origin, ${ENTRY_COLUMN_NAMES.join(', ')}, position) ${OPENED_CHUNK}
           WHERE $2::integer IS NOT NULL AND $3::bigint < $4::bigint`,
    values: chunkValues(chunk),
  });
  await moveCursor(client, chunk);
  await lockShared(client, tables.keys());
  const lanes = new Lanes(client, tables, await heldLanes(client), known, await concurrentPositions(client));
  await lanes.apply(await changeSets(client));
  await client.query('DROP TABLE incoming_entries');
  return lanes.outcome;
}

async function moveCursor(client: ClientBase, chunk: Chunk): Promise<void> {
  const { rowCount } = await client.query(
    `UPDATE replication_cursors SET seq = $4, applied_at = clock_timestamp(), witness = coalesce(
       (SELECT journal_witness(entity_id, change_set, at, coalesce(after, before))
        FROM incoming_entries ORDER BY position DESC LIMIT 1), witness)
     WHERE origin = $1 AND incarnation = $2 AND seq = $3`,
    [chunk.origin, chunk.incarnation, chunk.after, chunk.through],
  );
  if (rowCount !== 1) throw new CursorMovedError(chunk);
}

async function heldLanes(client: ClientBase): Promise<Set<string>> {
  const { rows } = await client.query<{ lane: string }>(
    `SELECT DISTINCT lane FROM quarantine WHERE state IN ('refused', 'waiting')`,
  );
  return new Set(rows.map(({ lane }) => lane));
}

/** In the order of their first entries. Sets that share a row never interleave: its lock kept them apart. */
async function changeSets(client: ClientBase): Promise<ChangeSet[]> {
  const { rows } = await client.query<{ key: string; positions: string[]; lanes: string[] }>(
    `SELECT incarnation || '.' || change_set AS key, array_agg(position ORDER BY position) AS positions,
            array_agg(DISTINCT coalesce(patient_id, entity_id)) AS lanes
     FROM incoming_entries GROUP BY 1 ORDER BY min(position)`,
  );
  return rows.map(({ key, positions, lanes }) => ({ key, positions: positions.map(Number), lanes }));
}

class Lanes {
  private applied = 0;
  private refusedEntries = 0;
  private waitingEntries = 0;
  private opened = 0;
  private readonly mergedLanes = new Set<string>();

  constructor(
    private readonly client: ClientBase,
    private readonly tables: ReadonlyMap<string, ReplicatedTable>,
    private readonly held: Set<string>,
    private readonly known: KnownSets,
    /** Of entries that were made without knowing of another node's change of the same record. */
    private readonly concurrent: ReadonlySet<number>,
  ) {}

  get outcome(): LaneOutcome {
    const { applied, refusedEntries: refused, waitingEntries: waiting, opened } = this;
    return { applied, refused, waiting, opened };
  }

  /** Applies what may be applied, in order: at once what stands alone, one by one what has to be merged. */
  async apply(sets: readonly ChangeSet[]): Promise<void> {
    let alone: ChangeSet[] = [];
    for (const set of sets) {
      if (!this.hasToBeMerged(set)) {
        alone.push(set);
        continue;
      }
      await this.applyAlone(alone);
      alone = [];
      await this.applyMerged(set);
    }
    await this.applyAlone(alone);
  }

  /** A merge appends to central's journal, so what the same region did next to those records is concurrent too. */
  private hasToBeMerged({ positions, lanes }: ChangeSet): boolean {
    return (
      positions.some((position) => this.concurrent.has(position)) ||
      lanes.some((lane) => this.mergedLanes.has(lane))
    );
  }

  private async applyMerged(set: ChangeSet): Promise<void> {
    const [ready] = await this.park([set]);
    if (!ready) return;
    const { positions } = ready;
    const failure = await this.attempt(() => mergeSet(this.client, this.tables, positions));
    if (failure) return this.refuse(ready, failure);
    for (const lane of ready.lanes) this.mergedLanes.add(lane);
    this.applied += ready.positions.length;
  }

  /** On a refusal, one half after the other. */
  private async applyAlone(sets: readonly ChangeSet[]): Promise<void> {
    const ready = await this.park(sets);
    if (ready.length === 0) return;
    const positions = ready.flatMap((set) => set.positions);
    const failure = await this.attempt(async () => {
      await writePositions(this.client, this.tables, positions);
      return 0;
    });
    if (!failure) {
      this.applied += ready.reduce((sum, { positions }) => sum + positions.length, 0);
    } else if (ready.length === 1) {
      await this.refuse(ready[0]!, failure);
    } else {
      const middle = Math.ceil(ready.length / 2);
      await this.applyAlone(ready.slice(0, middle));
      await this.applyAlone(ready.slice(middle));
    }
  }

  /** Holds the sets of lanes that are held already; gives the others. */
  private async park(sets: readonly ChangeSet[]): Promise<ChangeSet[]> {
    const ready: ChangeSet[] = [];
    for (const set of sets) {
      const refusal = this.known.refused.get(set.key);
      if (refusal) await this.refuse(set, refusal);
      else if (set.lanes.some((lane) => this.held.has(lane))) await this.wait(set);
      else ready.push(set);
    }
    return ready;
  }

  private async attempt(write: () => Promise<number>): Promise<Refusal | undefined> {
    await this.client.query('SAVEPOINT attempt');
    let opened: number;
    try {
      opened = await write();
    } catch (error) {
      if (failureKind(error) === 'transient') throw error;
      await this.client.query('ROLLBACK TO SAVEPOINT attempt');
      return { code: codeOf(error), message: (error as Error).message };
    }
    await this.client.query('RELEASE SAVEPOINT attempt');
    this.opened += opened;
    return undefined;
  }

  private async refuse(set: ChangeSet, { code, message }: Refusal): Promise<void> {
    this.expectWhole(set, { code, message });
    await this.hold(set, 'refused', code, message);
    this.refusedEntries += set.positions.length;
  }

  private async wait(set: ChangeSet): Promise<void> {
    this.expectWhole(set, { code: 'LANE_HELD', message: 'One of its patients waits in quarantine' });
    await this.hold(set, 'waiting', null, null);
    this.waitingEntries += set.positions.length;
  }

  private expectWhole({ key }: ChangeSet, refusal: Refusal): void {
    const { open, refused } = this.known;
    if (open.has(key) && !refused.has(key)) throw new OpenSetHeldError(key, refusal);
  }

  private async hold(
    set: ChangeSet,
    state: string,
    code: string | null,
    message: string | null,
  ): Promise<void> {
    const columns = `origin, ${ENTRY_COLUMN_NAMES.join(', ')}`;
    await this.client.query(
      `INSERT INTO quarantine (state, lane, code, message, attempts, last_attempt_at, ${columns})
       SELECT $2, coalesce(patient_id, entity_id), $3, $4, ($2 = 'refused')::int,
              CASE WHEN $2 = 'refused' THEN clock_timestamp() END, ${columns}
       FROM incoming_entries WHERE position = ANY($1) ORDER BY position`,
      [set.positions, state, code, message],
    );
    for (const lane of set.lanes) this.held.add(lane);
  }
}

/** Appends and writes the named rows of `incoming_entries`, in one statement. */
export async function writePositions(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  positions: readonly number[],
): Promise<void> {
  const names = await client.query<{ entity: string }>(
    'SELECT DISTINCT entity FROM incoming_entries WHERE position = ANY($1)',
    [positions],
  );
  const touched = knownTables(
    tables,
    names.rows.map(({ entity }) => entity),
  );
  const query = {
    text: `WITH incoming AS MATERIALIZED (SELECT * FROM incoming_entries WHERE position = ANY($1)), ${writeSteps(touched)}
           SELECT ${expectations(touched)}`,
    values: [positions],
  };
  await client.query(query);
}
