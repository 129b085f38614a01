import type { ClientBase } from 'pg';
import type { Chunk } from '../journal/chunk.js';
import { ENTRY_COLUMN_NAMES } from '../journal/entry-columns.js';
import { IN_QUARANTINE } from '../journal/quarantined-lanes.js';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import {
  CHUNK_IS_INTACT,
  ChunkCorruptError,
  chunkValues,
  CursorMovedError,
  OPENED_CHUNK,
  withDamageSeen,
} from './apply-chunk.js';
import { concurrentPositions, lockShared } from './incoming-entry.js';
import { type ChangeSet, type Holder, type KnownSets, type LaneOutcome, Lanes } from './lanes.js';
import { aheadCondition, knownSchemas } from './receiving-tables.js';

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
  await unpack(client, chunk);
  await moveCursor(client, chunk);
  await lockShared(client, tables.keys());
  const lanes = new Lanes(client, tables, await heldLanes(client), known, await concurrentPositions(client));
  await lanes.apply(await changeSets(client, tables));
  await client.query('DROP TABLE incoming_entries');
  return lanes.outcome;
}

async function unpack(client: ClientBase, chunk: Chunk): Promise<void> {
  const query = {
    text: `INSERT INTO incoming_entries (origin, ${ENTRY_COLUMN_NAMES.join(', ')}, position) ${OPENED_CHUNK}
           WHERE $2::integer IS NOT NULL AND ${CHUNK_IS_INTACT}`,
    values: chunkValues(chunk),
  };
  const { rowCount } = await withDamageSeen(chunk, () => client.query(query));
  if (rowCount !== chunk.count) throw new ChunkCorruptError(chunk);
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

async function heldLanes(client: ClientBase): Promise<Map<string, Holder>> {
  const { rows } = await client.query<{ lane: string; holder: Holder }>(
    `SELECT lane, CASE WHEN bool_and(state = 'held') THEN 'held' ELSE 'refused' END AS holder
     FROM quarantine WHERE ${IN_QUARANTINE} GROUP BY lane`,
  );
  return new Map(rows.map(({ lane, holder }) => [lane, holder]));
}

/** In the order of their first entries. Sets that share a row never interleave: its lock kept them apart. */
async function changeSets(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
): Promise<ChangeSet[]> {
  const { rows } = await client.query<Omit<ChangeSet, 'positions'> & { positions: string[] }>(
    `SELECT incarnation || '.' || change_set AS key, array_agg(position ORDER BY position) AS positions,
            array_agg(DISTINCT coalesce(patient_id, entity_id)) AS lanes, bool_or(${aheadCondition(1)}) AS ahead
     FROM incoming_entries GROUP BY 1 ORDER BY min(position)`,
    knownSchemas(tables),
  );
  return rows.map((set) => ({ ...set, positions: set.positions.map(Number) }));
}
