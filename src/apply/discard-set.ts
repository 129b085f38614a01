import type { ClientBase } from 'pg';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import { decide, type Decision } from './retry-lane.js';

/** Why a change set cannot be discarded. */
export type DiscardRefusal = 'not held' | 'not first' | 'holds an insert';

/**
 * Drops the change set of a refused entry, for good but for its place in quarantine. Central's values stay, and
 * a verdict in central's journal tells every copy so: a removal is answered with the whole row, an update with
 * the fields that it had changed. A patient's insert cannot be dropped: the record lives on in its region, so
 * its cause can only be corrected, and the change retried.
 */
export async function discardSet(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  entryId: string,
  decision: Decision,
): Promise<DiscardRefusal | 'discarded'> {
  await client.query('SELECT FROM replication_cursors ORDER BY origin FOR UPDATE');
  const { rows } = await client.query<{ id: string; state: string; op: string; entity: string }>(
    `SELECT other.id, other.state, other.op, other.entity
     FROM quarantine q JOIN quarantine other USING (origin, incarnation, change_set)
     WHERE q.id = $1 AND q.state IN ('refused', 'waiting')`,
    [entryId],
  );
  if (rows.length === 0) return 'not held';
  if (rows.some(({ state }) => state !== 'refused')) return 'not first';
  if (rows.some(({ op }) => op === 'insert')) return 'holds an insert';
  const ids = rows.map(({ id }) => id);
  for (const name of new Set(rows.map(({ entity }) => entity))) {
    if (tables.has(name)) await appendVerdicts(client, name, ids, decision);
  }
  await decide(client, ids, 'discarded', decision);
  return 'discarded';
}

async function appendVerdicts(client: ClientBase, table: string, ids: readonly string[], decision: Decision) {
  await client.query(
    `WITH verdicts AS (
       SELECT q.*, to_jsonb(t) AS row, count(*) OVER () AS size
       FROM quarantine q JOIN "${table}" t ON t.id = q.entity_id
       WHERE q.id = ANY($1) AND q.entity = '${table}' ORDER BY q.id
     ), numbered AS (SELECT nextval('journal_seq') AS seq, pg_current_xact_id()::text::bigint AS xid, v.* FROM verdicts v)
     INSERT INTO journal (seq, origin, origin_seq, incarnation, change_set, change_set_size, entity, entity_id,
                          patient_id, op, before, after, knows, actor, actor_name, reason, at, schema, captured_by)
     SELECT v.seq, node.code, v.seq, node.incarnation, v.xid, v.size, v.entity, v.entity_id, v.patient_id,
            CASE v.op WHEN 'remove' THEN 'restore' ELSE 'merge' END, v.after,
            CASE v.op WHEN 'remove' THEN v.row
              ELSE (SELECT jsonb_object_agg(key, v.row -> key) FROM jsonb_object_keys(v.after) key) END,
            0, $2, $3, $4, clock_timestamp(), v.schema, 'application'
     FROM numbered v CROSS JOIN node`,
    [ids, decision.by, decision.byName, decision.reason],
  );
}
