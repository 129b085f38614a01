import type { ClientBase } from 'pg';
import { IN_QUARANTINE } from '../journal/quarantined-lanes.js';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import type { Fields } from './merge.js';
import { decide, type Decision } from './retry-lanes.js';
import { appendVerdicts, type JudgedRecord, type Verdict } from './verdict.js';

/** Why a change set cannot be discarded. */
export type DiscardRefusal = 'not held' | 'not first' | 'held for upgrade' | 'holds an insert';

/** What was dropped. `lanes`: of its patients, and what waited behind it may go on. */
export interface Discarded {
  readonly lanes: readonly string[];
}

interface HeldEntry extends JudgedRecord {
  readonly id: string;
  readonly state: string;
  readonly lane: string;
  readonly op: string;
  readonly entity: string;
  readonly after: Fields | null;
}

/**
 * Drops the change set of a refused entry, for good but for its place in quarantine. Central's values stay, and
 * a verdict in central's journal tells every copy so: a removal is answered with the whole row, an update with
 * the fields that it had changed, or with the removal of a record that is gone meanwhile. A patient's insert cannot be
 * dropped: the record lives on in its region, so its cause can only be corrected, and the change retried.
 */
export async function discardSet(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  entryId: string,
  decision: Decision,
): Promise<DiscardRefusal | Discarded> {
  await client.query('SELECT FROM replication_cursors ORDER BY origin FOR UPDATE');
  const { rows } = await client.query<HeldEntry>(
    `SELECT other.id, other.state, other.lane, other.op, other.entity, other.entity_id AS "entityId",
            other.patient_id AS "patientId", other.after
     FROM quarantine q JOIN quarantine other USING (origin, incarnation, change_set)
     WHERE q.id = $1 AND q.${IN_QUARANTINE} ORDER BY other.id`,
    [entryId],
  );
  if (rows.length === 0) return 'not held';
  if (rows.some(({ state }) => state === 'held')) return 'held for upgrade';
  if (rows.some(({ state }) => state !== 'refused')) return 'not first';
  if (rows.some(({ op }) => op === 'insert')) return 'holds an insert';
  const lanes = [...new Set(rows.map(({ lane }) => lane))];
  if (await isBehindAnother(client, lanes, rows)) return 'not first';
  await lockLanes(client, lanes);
  for (const entry of rows) {
    const table = tables.get(entry.entity);
    if (table) await judge(client, table, entry, decision);
  }
  await decide(
    client,
    rows.map(({ id }) => id),
    'discarded',
    decision,
  );
  return { lanes };
}

/** A transaction that was refused for one of its patients may be behind a change of another of them. */
async function isBehindAnother(
  client: ClientBase,
  lanes: readonly string[],
  set: readonly HeldEntry[],
): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM quarantine WHERE ${IN_QUARANTINE} AND lane = ANY($1) AND id < $2 LIMIT 1`,
    [lanes, set[0]!.id],
  );
  return rowCount !== 0;
}

/** Whoever changes one of these patients at central has ended then, and what they did is seen. */
async function lockLanes(client: ClientBase, lanes: readonly string[]): Promise<void> {
  await client.query('SELECT FROM hosts WHERE patient_id = ANY($1) ORDER BY patient_id, region FOR UPDATE', [
    lanes,
  ]);
}

async function judge(
  client: ClientBase,
  table: ReplicatedTable,
  { op, after, ...record }: HeldEntry,
  { by: actor, byName: actorName, reason }: Decision,
): Promise<void> {
  const row = await client.query(`SELECT FROM "${table.name}" t WHERE t.id = $1 FOR UPDATE`, [
    record.entityId,
  ]);
  const isThere = row.rowCount !== 0;
  if (op === 'remove' && !isThere) return;
  const about = { table, record, at: new Date() };
  const kept: Verdict =
    op === 'remove'
      ? { ...about, op: 'restore' }
      : { ...about, op: 'merge', columns: Object.keys(after ?? {}), before: after };
  const verdict = isThere ? kept : ({ ...about, op: 'remove' } as const);
  await client.query(appendVerdicts([table], [verdict], { actor, actorName, reason }));
}
