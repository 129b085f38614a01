import type { ClientBase } from 'pg';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import { expectations, knownTables, writeSteps } from './write-entries.js';

/** Appends and writes the named rows of `incoming_entries`, in one statement. */
export async function writePositions(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  positions: readonly number[],
): Promise<void> {
  const names = await client.query<{ entity: string }>(
    'SELECT DISTINCT entity FROM incoming_entries WHERE position = ANY($1)',
    [positions],
  );
  const touched = knownTables(
    tables,
    names.rows.map(({ entity }) => entity),
  );
  const query = {
    text: `WITH incoming AS MATERIALIZED (
             SELECT * FROM incoming_entries WHERE position = ANY($1) ORDER BY position),  ${writeSteps(touched)}
           SELECT ${expectations(touched)}`,
    values: [positions],
  };
  await client.query(query);
}
