import { ENTRY_COLUMN_NAMES } from '../journal/entry-columns.js';
import type { FailureCode } from '../observability/failures/failure-codes.js';
import type { ReceivingTable } from './receiving-tables.js';
import { insertedColumns, updatedColumns } from './written-columns.js';

/** The chunk holds records of a kind that this version does not know. */
export class UnknownEntityError extends Error {
  readonly code = 'UNKNOWN_ENTITY' satisfies FailureCode;

  constructor(readonly entity: string) {
    super(`Entries of "${entity}" cannot be applied by this version of MedLink`);
    this.name = 'UnknownEntityError';
  }
}

/** The tables that are named, in one order, so that a set of names gives one statement. */
export function knownTables(
  tables: ReadonlyMap<string, ReceivingTable>,
  names: readonly string[],
): ReceivingTable[] {
  return [...names].sort().map((name) => {
    const table = tables.get(name);
    if (!table) throw new UnknownEntityError(name);
    return table;
  });
}

/**
 * The steps that append `incoming` (an earlier step: journal columns with `origin`, in their order) to the receiver's
 * journal, and write the rows from `changes` (another one: `entity`, `entity_id`, `op`, `after` and `position`).
 * Several changes of one row become its last state first, because a row can be written once per statement. Few rows have
 * several in a chunk, so only those are sorted: sorting all of them, here and for the journal, was 4 % of the whole. What a
 * row's first and last step were rides on their positions: it costs less than collecting them.
 */
export function writeSteps(tables: readonly ReceivingTable[]): string {
  const columns = `origin, ${ENTRY_COLUMN_NAMES.join(', ')}`;
  return `appended AS (
      INSERT INTO journal (seq, ${columns}) SELECT nextval('journal_seq'), ${columns} FROM incoming
    ), repeated AS MATERIALIZED (
      SELECT entity_id FROM changes GROUP BY entity_id HAVING count(*) > 1
    ), folded AS MATERIALIZED (
      SELECT entity, entity_id, after, op <> 'insert' AS existed, op <> 'remove' AS remains
      FROM changes WHERE entity_id NOT IN (SELECT entity_id FROM repeated)
      UNION ALL
      SELECT entity, entity_id, journal_overlay(after ORDER BY position),
             min(position * 4 + step) % 4 <> 1, max(position * 4 + step) % 4 <> 2
      FROM (SELECT *, CASE op WHEN 'insert' THEN 1 WHEN 'remove' THEN 2 ELSE 0 END AS step
            FROM changes WHERE entity_id IN (SELECT entity_id FROM repeated)) stepped
      GROUP BY entity, entity_id
    )${tables.map(writeRows).join('')}`;
}

/**
 * Steps that write the rows of one table as `folded` (an earlier step) says: `existed` and `remains` tell what was and what
 * is to be, `after` is the row or the columns of it that change.
 *
 * New rows are opened in the SELECT list, once each (OFFSET 0). As a function in FROM, which reads better, PostgreSQL
 * copies the table's description with its constraints for every row: a twentieth of the processor time of the whole.
 */
export function writeRows(table: ReceivingTable): string {
  const { name, columns } = table;
  const list = columns.map((column) => `"${column}"`).join(', ');
  return `, "inserted ${name}" AS (
      INSERT INTO "${name}" (${list})
      SELECT ${insertedColumns(table, 'after', '(row)')}
      FROM (SELECT after, jsonb_populate_record(NULL::"${name}", after) AS row FROM folded
            WHERE entity = '${name}' AND NOT existed AND remains OFFSET 0) opened
    ), "updated ${name}" AS (
      UPDATE "${name}" t SET ${updatedColumns(table, 'folded.after')}
      FROM folded
      WHERE folded.entity = '${name}' AND folded.existed AND folded.remains AND t.id = folded.entity_id
        AND jsonb_typeof(folded.after) = 'object'
      RETURNING 1
    ), "removed ${name}" AS (
      DELETE FROM "${name}" t USING folded
      WHERE folded.entity = '${name}' AND folded.existed AND NOT folded.remains AND t.id = folded.entity_id
      RETURNING 1
    )`;
}

/**
 * Columns of the final SELECT that raise ML003 when a row to change or remove is not there: the two sides
 * differ, and nothing may be applied over it.
 */
export function expectations(tables: readonly ReceivingTable[]): string {
  return tables
    .map(
      ({ name }) => `replication_expect('rows of ${name} to change or remove',
      (SELECT count(*) FROM folded WHERE entity = '${name}' AND existed),
      (SELECT count(*) FROM "updated ${name}") + (SELECT count(*) FROM "removed ${name}"))`,
    )
    .join(', ');
}
