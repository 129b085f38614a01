import type { Ask } from '../databases/ask.js';
import { type DeliveredEntry, deliveredValues, openedDelivery } from '../journal/delivery.js';
import { ENTRY_COLUMN_NAMES } from '../journal/entry-columns.js';
import { layUnder } from './lay-under.js';
import type { ReceivingTable } from './receiving-tables.js';

const COLUMNS = `origin, ${ENTRY_COLUMN_NAMES.join(', ')}`;

/** Entries that have come back have a position of their own, so they are found by their patient. */
const SAME = '(j.origin, j.incarnation, j.origin_seq) = (entry.origin, entry.incarnation, entry.origin_seq)';
const UNKNOWN = `NOT EXISTS (SELECT FROM journal j WHERE j.patient_id = entry.patient_id AND ${SAME})
  AND NOT EXISTS (SELECT FROM journal j WHERE j.patient_id IS NULL AND entry.patient_id IS NULL AND ${SAME})`;

/**
 * Gives a restored database back what it had made itself and had delivered: entries that it has no more go to the end
 * of its journal, as they were, and what they changed into the rows, under what has happened to those since its
 * position `since`. Every copy is told what the records are in the end. In a transaction of its own; what is there
 * already is passed over. Gives how many entries were missing.
 */
export async function returnEntries(
  ask: Ask,
  tables: readonly ReceivingTable[],
  entries: readonly DeliveredEntry[],
  since: number,
): Promise<number> {
  await ask('BEGIN');
  // One at a time: another node may hold the same entries.
  await ask('LOCK TABLE journal IN SHARE ROW EXCLUSIVE MODE');
  await ask(
    `CREATE TEMPORARY TABLE lost_entries ON COMMIT DROP AS SELECT ${COLUMNS} FROM journal WITH NO DATA`,
  );
  await ask(
    `INSERT INTO lost_entries (${COLUMNS}) SELECT ${COLUMNS} FROM ${openedDelivery(1)} WHERE ${UNKNOWN}`,
    deliveredValues(entries),
  );
  const [counted] = await ask<{ returned: number }>('SELECT count(*)::int AS returned FROM lost_entries');
  if (counted!.returned > 0) {
    await ask(returnStatement(tables), [since]);
    for (const table of tables) await ask(verdictStatement(table));
  }
  await ask('COMMIT');
  return counted!.returned;
}

function returnStatement(tables: readonly ReceivingTable[]): string {
  const later = `FROM journal j WHERE j.seq > $1::bigint
      AND (j.entity, j.entity_id) IN (SELECT entity, entity_id FROM lost_entries)`;
  return `
    WITH lost AS MATERIALIZED (SELECT * FROM lost_entries), ${layUnder(tables, later)}
    INSERT INTO journal (seq, ${COLUMNS})
    SELECT nextval('journal_seq'), ${COLUMNS} FROM (SELECT * FROM lost ORDER BY origin_seq) ordered`;
}

/** What has come back may lie under something newer, here and elsewhere: these values decide, and no others. */
function verdictStatement({ name, compartment, schema }: ReceivingTable): string {
  const patient = compartment === null ? 'NULL::uuid' : `t."${compartment}"`;
  return `
    WITH touched AS (
      SELECT l.entity_id, max(l.at) AS at, array_agg(DISTINCT key) AS columns,
             CASE WHEN bool_or(l.op IN ('insert', 'restore')) THEN 'restore' ELSE 'merge' END AS op
      FROM lost_entries l CROSS JOIN LATERAL jsonb_object_keys(l.after) key
      WHERE l.entity = '${name}' GROUP BY l.entity_id
    ), final AS (
      SELECT v.op, v.at, t.id, ${patient} AS patient_id,
             (SELECT jsonb_object_agg(c, to_jsonb(t) -> c) FROM unnest(v.columns) c) AS after
      FROM touched v JOIN "${name}" t ON t.id = v.entity_id ORDER BY t.id
    ), numbered AS (SELECT nextval('journal_seq') AS seq, f.* FROM final f)
    INSERT INTO journal (seq, origin, origin_seq, incarnation, change_set, change_set_size, entity, entity_id,
                         patient_id, op, before, after, knows, actor, actor_name, reason, at, schema, captured_by)
    SELECT n.seq, node.code, n.seq, node.incarnation, -n.seq, 1, '${name}', n.id, n.patient_id, n.op, NULL,
           n.after, 0, 'medlink', 'MedLink', 'Brought back after a restore', n.at, ${String(schema)}, 'application'
    FROM numbered n CROSS JOIN node`;
}
