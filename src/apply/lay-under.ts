import type { ReceivingTable } from './receiving-tables.js';
import { insertedColumns, updatedColumns } from './written-columns.js';

/**
 * Steps of a statement that write what entries of `lost` (an earlier step: journal columns) changed into the rows,
 * under what entries that came later (`later`: a FROM with its WHERE, of journal `j`) have changed since. A row that
 * they change without holding it whole, and that is not there, is left to whoever sends it. `wanted` tells which
 * records are `covered`: a value that came back lies under another one.
 */
export function layUnder(tables: readonly ReceivingTable[], later: string): string {
  return `folded AS (
      SELECT entity, entity_id, coalesce(journal_overlay(after ORDER BY origin_seq), '{}') AS after,
             bool_or(op IN ('insert', 'restore')) AS whole,
             (array_agg(op ORDER BY origin_seq DESC))[1] <> 'remove' AS remains
      FROM lost GROUP BY entity, entity_id
    ), later AS (
      SELECT j.entity, j.entity_id, coalesce(journal_overlay(j.after ORDER BY j.seq), '{}') AS after,
             (array_agg(j.op ORDER BY j.seq DESC))[1] = 'remove' AS removed
      ${later} GROUP BY j.entity, j.entity_id
    ), wanted AS MATERIALIZED (
      SELECT f.entity, f.entity_id, f.whole, f.remains, f.after || coalesce(l.after, '{}') AS after,
             coalesce(l.removed, false) AS removed_since, l.entity IS NOT NULL AS changed_since,
             EXISTS (SELECT FROM jsonb_each(f.after) lost JOIN jsonb_each(l.after) since ON since.key = lost.key
                     WHERE since.value <> lost.value AND lost.key <> ALL ('{${bookkeeping(tables).join()}}')) AS covered
      FROM folded f LEFT JOIN later l ON l.entity = f.entity AND l.entity_id = f.entity_id
    )${tables.map(writeRows).join('')}`;
}

/** Columns that every change sets. */
function bookkeeping(tables: readonly ReceivingTable[]): string[] {
  const columns = tables.flatMap(({ rules }) =>
    [...rules].flatMap(([column, { policy }]) => (policy === 'version' || policy === 'stamp' ? column : [])),
  );
  return [...new Set(columns)];
}

function writeRows(table: ReceivingTable): string {
  const { name, columns } = table;
  const list = columns.map((column) => `"${column}"`).join(', ');
  return `, "updated ${name}" AS (
      UPDATE "${name}" t SET ${updatedColumns(table, 'w.after')}
      FROM wanted w WHERE w.entity = '${name}' AND w.remains AND t.id = w.entity_id
    ), "inserted ${name}" AS (
      INSERT INTO "${name}" (${list})
      SELECT ${insertedColumns(table, 'w.after')}
      FROM wanted w CROSS JOIN LATERAL jsonb_populate_record(NULL::"${name}", w.after) row
      WHERE w.entity = '${name}' AND w.remains AND w.whole AND NOT w.removed_since
        AND NOT EXISTS (SELECT FROM "${name}" t WHERE t.id = w.entity_id)
    ), "removed ${name}" AS (
      DELETE FROM "${name}" t USING wanted w
      WHERE w.entity = '${name}' AND NOT w.remains AND NOT w.changed_since AND t.id = w.entity_id
    )`;
}
