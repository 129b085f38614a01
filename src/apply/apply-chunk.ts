import type { ClientBase } from 'pg';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import type { Chunk } from '../journal/chunk.js';
import { ENTRY_COLUMN_NAMES, ENTRY_COLUMNS } from '../journal/entry-columns.js';

/** Longest time that one chunk may take at the receiver before it counts as hung, in milliseconds. */
const APPLY_TIMEOUT_MS = 10_000;

/** The receiver stands somewhere else than the chunk begins: another relay was faster, or it was restored. */
export class CursorMovedError extends Error {
  constructor(readonly chunk: { origin: string; after: number }) {
    super(`The receiver's cursor for ${chunk.origin} is not at ${String(chunk.after)}`);
    this.name = 'CursorMovedError';
  }
}

/** The chunk holds records of a kind that this version does not know. */
export class UnknownEntityError extends Error {
  constructor(readonly entity: string) {
    super(`Entries of "${entity}" cannot be applied by this version of MedLink`);
    this.name = 'UnknownEntityError';
  }
}

/**
 * Folds a chunk into the receiver's tables, appends it to the receiver's journal and moves the receiver's
 * cursor: one statement, so all of it or nothing, and nothing at all when the cursor is not where the
 * chunk begins. Several changes of one row become its last state first,
 * because a row can be written once per statement.
 */
export async function applyChunk(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  chunk: Chunk,
): Promise<void> {
  const touched = [...chunk.tables].sort().map((name) => knownTable(tables, name));
  const query = {
    name: `apply-chunk ${touched.map((table) => table.name).join(' ')}`,
    text: applyStatement(touched),
    values: [
      chunk.origin,
      chunk.incarnation,
      chunk.after,
      chunk.through,
      ...ENTRY_COLUMN_NAMES.map((column) => chunk.entries[column]),
    ],
    query_timeout: APPLY_TIMEOUT_MS,
  };
  const result = await client.query<{ moved: number }>(query);
  if (result.rows[0]?.moved !== 1) throw new CursorMovedError(chunk);
}

function knownTable(tables: ReadonlyMap<string, ReplicatedTable>, name: string): ReplicatedTable {
  const table = tables.get(name);
  if (!table) throw new UnknownEntityError(name);
  return table;
}

const COLUMNS = ENTRY_COLUMN_NAMES.join(', ');
const ARRAYS = ENTRY_COLUMN_NAMES.map(
  (column, index) => `$${String(index + 5)}::${ENTRY_COLUMNS[column]}[]`,
).join(', ');

function applyStatement(tables: readonly ReplicatedTable[]): string {
  return `
    WITH moved AS (
      UPDATE replication_cursors SET seq = $4::bigint, applied_at = clock_timestamp()
      WHERE origin = $1 AND incarnation = $2 AND seq = $3::bigint
      RETURNING 1
    ), incoming AS MATERIALIZED (
      SELECT * FROM unnest(${ARRAYS}) AS entry(${COLUMNS}) WHERE EXISTS (SELECT FROM moved)
    ), appended AS (
      INSERT INTO journal (seq, origin, ${COLUMNS})
      SELECT nextval('journal_seq'), $1, ${COLUMNS} FROM incoming
    ), folded AS MATERIALIZED (
      SELECT entity, entity_id, journal_overlay(after ORDER BY origin_seq) AS after,
             (array_agg(op ORDER BY origin_seq))[1] <> 'insert' AS existed,
             (array_agg(op ORDER BY origin_seq))[count(*)] <> 'remove' AS remains
      FROM incoming GROUP BY entity, entity_id
    )${tables.map(writeRows).join('')}
    SELECT (SELECT count(*)::int FROM moved) AS moved${tables.map(expectRows).join('')}`;
}

function writeRows({ name, columns }: ReplicatedTable): string {
  const list = columns.map((column) => `"${column}"`).join(', ');
  return `, "inserted ${name}" AS (
      INSERT INTO "${name}" (${list})
      SELECT ${columns.map((column) => `row."${column}"`).join(', ')}
      FROM folded CROSS JOIN LATERAL jsonb_populate_record(NULL::"${name}", folded.after) row
      WHERE folded.entity = '${name}' AND NOT folded.existed AND folded.remains
    ), "updated ${name}" AS (
      UPDATE "${name}" t SET (${list}) = (SELECT ${list} FROM jsonb_populate_record(t, folded.after))
      FROM folded
      WHERE folded.entity = '${name}' AND folded.existed AND folded.remains AND t.id = folded.entity_id
      RETURNING 1
    ), "removed ${name}" AS (
      DELETE FROM "${name}" t USING folded
      WHERE folded.entity = '${name}' AND folded.existed AND NOT folded.remains AND t.id = folded.entity_id
      RETURNING 1
    )`;
}

/** A row to change or remove that is not there means that the two sides differ: nothing may be applied over it. */
function expectRows({ name }: ReplicatedTable): string {
  return `, replication_expect('rows of ${name} to change or remove',
      (SELECT count(*) FROM folded WHERE entity = '${name}' AND existed),
      (SELECT count(*) FROM "updated ${name}") + (SELECT count(*) FROM "removed ${name}"))`;
}
