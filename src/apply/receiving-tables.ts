import type { ClientBase } from 'pg';
import type { Ask } from '../databases/ask.js';
import type { ReplicatedTable } from '../journal/replicated-tables.js';

/** A replicated entity, as the database has it that is to be written. */
export interface ReceivingTable extends ReplicatedTable {
  /** The SQL type of each column. */
  readonly types: ReadonlyMap<string, string>;
  /** SQL of what a column holds when an entry that was made before the column does not name it. By column. */
  readonly defaults: ReadonlyMap<string, string>;
}

interface TableRow {
  readonly name: string;
  readonly schema: number;
  readonly types: Readonly<Record<string, string>>;
  readonly defaults: Readonly<Record<string, string>> | null;
}

/** What the database itself has, which may be older or newer than this program. */
const TABLES = `
  SELECT t.name, t.schema, jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)) AS types,
         jsonb_object_agg(a.attname, pg_get_expr(d.adbin, d.adrelid))
           FILTER (WHERE d.adbin IS NOT NULL AND a.attgenerated = '') AS defaults
  FROM replicated_tables t
  JOIN pg_attribute a ON a.attrelid = to_regclass(quote_ident(t.name)) AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  GROUP BY t.name, t.schema`;

/**
 * The tables that can be written in the database behind `client`: those that this program and the database both know,
 * with the columns that both have, in the older one's version. Columns that an older entry does not name get the
 * default that the database declares.
 */
export async function receivingTables(
  client: ClientBase,
  known: readonly ReplicatedTable[],
): Promise<Map<string, ReceivingTable>> {
  const { rows } = await client.query<TableRow>(TABLES);
  return inBoth(rows, known);
}

/** The same in the database behind `ask`. */
export async function receivingTablesOf(
  ask: Ask,
  known: readonly ReplicatedTable[],
): Promise<Map<string, ReceivingTable>> {
  return inBoth(await ask<TableRow>(TABLES), known);
}

function inBoth(rows: readonly TableRow[], known: readonly ReplicatedTable[]): Map<string, ReceivingTable> {
  const there = new Map(rows.map((row) => [row.name, row]));
  const tables = known.flatMap((table) => {
    const row = there.get(table.name);
    if (!row) return [];
    const types = new Map(Object.entries(row.types));
    return {
      ...table,
      columns: table.columns.filter((column) => types.has(column)),
      schema: Math.min(row.schema, table.schema),
      defaults: new Map(Object.entries(row.defaults ?? {})),
      types,
    };
  });
  return new Map(tables.map((table) => [table.name, table]));
}

/** Whether something is of a version, or of a kind, that `tables` do not know yet. `newest`: schemas by table. */
export function isAhead(
  tables: ReadonlyMap<string, ReplicatedTable>,
  newest: Readonly<Record<string, number>>,
): boolean {
  return Object.entries(newest).some(([name, schema]) => schema > (tables.get(name)?.schema ?? 0));
}

/**
 * SQL that is true for rows with `entity` and `schema` of a version or kind that is not known yet. Its parameters, at
 * `first` and behind it, are {@link knownSchemas}.
 */
export function aheadCondition(first: number): string {
  return `NOT EXISTS (SELECT FROM unnest($${String(first)}::text[], $${String(first + 1)}::integer[]) known(name, version)
                      WHERE known.name = entity AND known.version >= schema)`;
}

export function knownSchemas(tables: ReadonlyMap<string, ReplicatedTable>): [string[], number[]] {
  return [[...tables.keys()], [...tables.values()].map(({ schema }) => schema)];
}
