import type { ClientBase } from 'pg';
import type { ReplicatedTable } from '../journal/replicated-tables.js';

interface TableRow {
  readonly name: string;
  readonly schema: number;
  readonly columns: readonly string[];
  readonly defaults: Readonly<Record<string, string>> | null;
}

/** What the database itself has, which may be older or newer than this program. */
const TABLES = `
  SELECT t.name, t.schema, array_agg(a.attname::text) AS columns,
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
): Promise<Map<string, ReplicatedTable>> {
  const { rows } = await client.query<TableRow>(TABLES);
  const there = new Map(rows.map((row) => [row.name, row]));
  const tables = known.flatMap((table) => {
    const { schema, columns, defaults } = there.get(table.name) ?? {};
    if (schema === undefined) return [];
    const both = table.columns.filter((column) => columns?.includes(column));
    return {
      ...table,
      columns: both,
      schema: Math.min(schema, table.schema),
      defaults: new Map(Object.entries(defaults ?? {})),
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

/**
 * The columns of a new row, for a SELECT list: from the record `row` that was populated from the JSON `from`, or what the
 * table declares for a column that `from`, made by an older version, does not name.
 */
export function insertedColumns({ columns, defaults }: ReplicatedTable, from: string, row = 'row'): string {
  const value = (column: string) => {
    const declared = defaults.get(column);
    if (declared === undefined) return `${row}."${column}"`;
    return `CASE WHEN ${from}::jsonb ? '${column}' THEN ${row}."${column}" ELSE ${declared} END`;
  };
  return columns.map(value).join(', ');
}
