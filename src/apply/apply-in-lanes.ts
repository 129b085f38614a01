import type { ClientBase, QueryConfig } from 'pg';
import type { Chunk } from '../journal/chunk.js';
import { IN_QUARANTINE } from '../journal/quarantined-lanes.js';
import { ChunkCorruptError, CursorMovedError, withDamageSeen } from './apply-chunk.js';
import { EMPTY_INCOMING, INCOMING_COLUMNS, MAKE_INCOMING } from './incoming-entries.js';
import { IS_CONCURRENT, lockShared } from './incoming-entry.js';
import { type ChangeSet, type Holder, type KnownSets, type LaneOutcome, Lanes } from './lanes.js';
import { CHUNK_IS_INTACT, chunkValues, OPENED_CHUNK } from './opened-chunk.js';
import type { ReceivingTable } from './receiving-tables.js';
import { aheadCondition, knownSchemas } from './receiving-tables.js';
import { sendAll } from './send-all.js';

/**
 * Applies a chunk that the receiver did not accept at once: finds the change sets that cannot be applied, puts them into
 * quarantine whole, parks whatever comes later in their patients' lanes, and applies all the others. In the transaction
 * that is open on `client`, with the cursor.
 *
 * Throws {@link OpenSetHeldError}, and leaves the transaction to be rolled back, when only a part of a change
 * set could be held.
 */
export async function applyInLanes(
  client: ClientBase,
  tables: ReadonlyMap<string, ReceivingTable>,
  chunk: Chunk,
  known: KnownSets,
): Promise<LaneOutcome> {
  const touched = [...tables.values()].filter(({ name }) => name in chunk.tables);
  // A part of a transaction comes behind another one.
  const made = known.open.size > 0 ? [MAKE_INCOMING, EMPTY_INCOMING] : [MAKE_INCOMING];
  const statements = [
    unpack(chunk),
    moveCursor(chunk),
    ...lockShared(touched),
    heldLanes(known),
    laneEntries(tables),
  ];
  const results = await withDamageSeen(chunk, () => sendAll(client, [...made, ...statements]));
  const [unpacked, moved] = results.slice(made.length);
  if (unpacked!.rowCount !== chunk.count) throw new ChunkCorruptError(chunk);
  if (moved!.rowCount !== 1) throw new CursorMovedError(chunk);
  const [held, entries] = results.slice(-2).map(({ rows }) => rows) as [HeldLane[], LaneEntry[]];
  const holders = new Map(held.map(({ lane, holder }) => [lane, holder]));
  const lanes = new Lanes(client, tables, touched, holders, known);
  await lanes.applyAll(changeSets(entries));
  return lanes.outcome;
}

const unpack = (chunk: Chunk): QueryConfig => ({
  name: 'unpack-chunk',
  text: `INSERT INTO incoming_entries (${INCOMING_COLUMNS}, position) ${OPENED_CHUNK}
         WHERE $2::integer IS NOT NULL AND ${CHUNK_IS_INTACT}`,
  values: chunkValues(chunk),
});

const moveCursor = ({ origin, incarnation, after, through }: Chunk): QueryConfig => ({
  name: 'move-cursor',
  text: `UPDATE replication_cursors SET seq = $4, applied_at = clock_timestamp(), witness = coalesce(
           (SELECT journal_witness(entity_id, change_set, at, coalesce(after, before))
            FROM incoming_entries ORDER BY position DESC LIMIT 1), witness)
         WHERE origin = $1 AND incarnation = $2 AND seq = $3`,
  values: [origin, incarnation, after, through],
});

interface HeldLane {
  readonly lane: string;
  readonly holder: Holder;
}

/** The held ones among the lanes of the chunk, and of those for which a set was refused. */
const heldLanes = ({ refused }: KnownSets): QueryConfig => ({
  name: 'held-lanes',
  text: `SELECT lane, CASE WHEN bool_and(state = 'held') THEN 'held' ELSE 'refused' END AS holder
         FROM quarantine
         WHERE ${IN_QUARANTINE} AND lane IN (
           SELECT coalesce(patient_id, entity_id) FROM incoming_entries UNION SELECT unnest($1::uuid[]))
         GROUP BY lane`,
  values: [[...refused.values()].flatMap(({ lanes }) => lanes ?? [])],
});

interface LaneEntry {
  readonly position: string;
  /** Of its change set. */
  readonly key: string;
  readonly lane: string;
  readonly record: string;
  readonly ahead: boolean;
  readonly concurrent: boolean;
}

/** In their order. They are grouped into change sets here, not by central, whose processor all regions share. */
const laneEntries = (tables: ReadonlyMap<string, ReceivingTable>): QueryConfig => ({
  name: 'lane-entries',
  text: `SELECT position, incarnation || '.' || change_set AS key, coalesce(patient_id, entity_id) AS lane, entity_id AS record,
                ${aheadCondition(1)} AS ahead, ${IS_CONCURRENT} AS concurrent
         FROM incoming_entries i ORDER BY position`,
  values: knownSchemas(tables),
});

/** In the order of their first entries. Sets that share a row never interleave: its lock kept them apart. */
function changeSets(entries: readonly LaneEntry[]): ChangeSet[] {
  const sets = new Map<string, LaneEntry[]>();
  for (const entry of entries) {
    const set = sets.get(entry.key);
    if (set) set.push(entry);
    else sets.set(entry.key, [entry]);
  }
  return [...sets].map(([key, set]) => ({
    key,
    positions: set.map(({ position }) => Number(position)),
    lanes: [...new Set(set.map(({ lane }) => lane))],
    records: [...new Set(set.map(({ record }) => record))],
    ahead: set.some(({ ahead }) => ahead),
    concurrent: set.some(({ concurrent }) => concurrent),
  }));
}
