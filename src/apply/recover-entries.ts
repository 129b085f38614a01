import type { ClientBase } from 'pg';
import { ENTRY_COLUMN_NAMES } from '../journal/entry-columns.js';
import type { ReplicatedTable } from '../journal/replicated-tables.js';

/** Entries that come back in one transaction; a change set is never split. */
const BATCH_ENTRIES = 500;

/**
 * Brings a batch of `lost_entries` back: the entries to their own positions in the journal, and what they changed
 * into the rows, under what this node has changed since and its peer has not seen (behind `through`). A row that
 * the entries change without having made it, and that is not there, is left to whoever sends it. Gives where the
 * next batch begins, or `null` when none is left.
 */
export async function recoverBatch(
  client: ClientBase,
  tables: readonly ReplicatedTable[],
  after: number,
  through: number,
): Promise<{ after: number; recovered: number } | null> {
  const { rows } = await client.query<{ last: string | null }>(
    `SELECT max(first_seq) AS last FROM (
       SELECT first_seq FROM lost_entries WHERE first_seq > $1 ORDER BY first_seq LIMIT ${String(BATCH_ENTRIES)}
     ) batch`,
    [after],
  );
  const last = rows[0]!.last;
  if (last === null) return null;
  // Whoever is writing these rows ends first; what they wrote is then seen as this node's own.
  for (const { name } of tables) {
    await client.query(
      `SELECT FROM "${name}" t WHERE t.id IN (SELECT entity_id FROM lost_entries
         WHERE entity = '${name}' AND first_seq > $1 AND first_seq <= $2) ORDER BY t.id FOR UPDATE`,
      [after, last],
    );
  }
  const result = await client.query<{ recovered: number }>(recoverStatement(tables), [after, last, through]);
  return { after: Number(last), recovered: result.rows[0]!.recovered };
}

function recoverStatement(tables: readonly ReplicatedTable[]): string {
  const columns = ENTRY_COLUMN_NAMES.join(', ');
  return `
    WITH lost AS MATERIALIZED (
      SELECT (SELECT code FROM node) AS origin, ${columns} FROM lost_entries
      WHERE first_seq > $1 AND first_seq <= $2
    ), appended AS (
      INSERT INTO journal (seq, origin, ${columns}) SELECT origin_seq, origin, ${columns} FROM lost RETURNING 1
    ), folded AS (
      SELECT entity, entity_id, coalesce(journal_overlay(after ORDER BY origin_seq), '{}') AS after,
             bool_or(op = 'insert') AS whole, (array_agg(op ORDER BY origin_seq DESC))[1] <> 'remove' AS remains
      FROM lost GROUP BY entity, entity_id
    ), unsent AS (
      SELECT j.entity, j.entity_id, coalesce(journal_overlay(j.after ORDER BY j.seq), '{}') AS after,
             (array_agg(j.op ORDER BY j.seq DESC))[1] = 'remove' AS removed
      FROM journal j JOIN node ON node.code = j.origin WHERE j.seq > $3 GROUP BY j.entity, j.entity_id
    ), wanted AS MATERIALIZED (
      SELECT f.entity, f.entity_id, f.whole, f.remains, f.after || coalesce(u.after, '{}') AS after,
             coalesce(u.removed, false) AS removed_since, u.entity IS NOT NULL AS changed_since
      FROM folded f LEFT JOIN unsent u ON u.entity = f.entity AND u.entity_id = f.entity_id
    )${tables.map(recoverRows).join('')}
    SELECT (SELECT count(*)::int FROM appended) AS recovered`;
}

function recoverRows({ name, columns }: ReplicatedTable): string {
  const list = columns.map((column) => `"${column}"`).join(', ');
  return `, "updated ${name}" AS (
      UPDATE "${name}" t SET (${list}) = (SELECT ${list} FROM jsonb_populate_record(t, w.after))
      FROM wanted w WHERE w.entity = '${name}' AND w.remains AND t.id = w.entity_id
    ), "inserted ${name}" AS (
      INSERT INTO "${name}" (${list})
      SELECT ${columns.map((column) => `row."${column}"`).join(', ')}
      FROM wanted w CROSS JOIN LATERAL jsonb_populate_record(NULL::"${name}", w.after) row
      WHERE w.entity = '${name}' AND w.remains AND w.whole AND NOT w.removed_since
        AND NOT EXISTS (SELECT FROM "${name}" t WHERE t.id = w.entity_id)
    ), "removed ${name}" AS (
      DELETE FROM "${name}" t USING wanted w
      WHERE w.entity = '${name}' AND NOT w.remains AND NOT w.changed_since AND t.id = w.entity_id
    )`;
}
