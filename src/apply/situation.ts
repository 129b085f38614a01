import type { ClientBase } from 'pg';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import { statementName } from '../journal/statement-name.js';
import { type ForeignEntry, foreignEntries, type IncomingEntry, lastRemovals } from './incoming-entry.js';
import { AT_POSITIONS } from './incoming-entries.js';
import type { Fields } from './merge.js';
import type { Situation } from './plan-entry.js';
import { sendAll } from './send-all.js';

type AtPosition<T> = T & { readonly position: string };

/** What central has for the record of each of `entries`, whose rows are locked. */
export async function situationsOf(
  client: ClientBase,
  tables: readonly ReplicatedTable[],
  entries: readonly IncomingEntry[],
): Promise<Situation[]> {
  const positions = entries.map(({ position }) => position);
  const [found, told] = await sendAll(client, [rowsOf(tables, positions), foreignEntries(positions)]);
  const rows = new Map(
    (found!.rows as AtPosition<{ row: Fields | null }>[]).map(({ position, row }) => [position, row]),
  );
  const foreign = new Map<string, ForeignEntry[]>(positions.map((position) => [position, []]));
  for (const entry of told!.rows as AtPosition<ForeignEntry>[]) foreign.get(entry.position)!.push(entry);
  const gone = positions.filter((position) => !rows.get(position));
  const removals = gone.length > 0 ? await removalsOf(client, gone) : undefined;
  return positions.map((position) => ({
    row: rows.get(position) ?? undefined,
    foreign: foreign.get(position)!,
    removal: removals?.get(position),
  }));
}

const rowsOf = (tables: readonly ReplicatedTable[], positions: readonly string[]) => ({
  name: statementName(
    'rows-to-merge',
    tables.map(({ name }) => name),
  ),
  text: `SELECT i.position, ${rowOf('i', tables)} AS row FROM incoming_entries i WHERE i.${AT_POSITIONS}`,
  values: [positions],
});

async function removalsOf(
  client: ClientBase,
  positions: readonly string[],
): Promise<Map<string, ForeignEntry>> {
  const { rows } = await client.query<AtPosition<ForeignEntry>>(lastRemovals(positions));
  return new Map(rows.map((removal) => [removal.position, removal]));
}

/** SQL: the row that `record` (an alias with `entity` and `entity_id`) is about, as JSON; null when it is not there. */
export function rowOf(record: string, tables: readonly ReplicatedTable[]): string {
  const cases = tables.map(
    ({ name }) =>
      `WHEN '${name}' THEN (SELECT to_jsonb(t) FROM "${name}" t WHERE t.id = ${record}.entity_id)`,
  );
  return `CASE ${record}.entity ${cases.join(' ')} END`;
}

/** SQL: those members of the object `fields` that the array `columns` names; null for none. */
export function pick(fields: string, columns: string): string {
  return `(SELECT jsonb_object_agg(key, value) FROM jsonb_each(${fields}) WHERE ${columns} ? key)`;
}
