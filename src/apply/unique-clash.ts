import type { ClientBase } from 'pg';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import type { DisputedSide } from '../conflicts/disputed-fields.js';
import { incomingEntries, type IncomingEntry } from './incoming-entry.js';
import { recordConflict } from './record-conflict.js';

/**
 * Columns of the final SELECT of a chunk that raise ML003 when a record brings a value that another one has and only
 * one may have. Both are kept, but as a conflict, so the chunk goes the longer way.
 */
export function clashes(tables: readonly ReplicatedTable[]): string {
  return tables
    .flatMap((table) => uniqueColumns(table).map((column) => expectNoClash(table, column)))
    .map((expectation) => `, ${expectation}`)
    .join('');
}

function expectNoClash({ name }: ReplicatedTable, column: string): string {
  return `replication_expect('${name} with a ${column} that another one has', 0,
    (SELECT count(*) FROM folded f JOIN "${name}" other ON other."${column}" = f.after ->> '${column}'
     WHERE f.entity = '${name}' AND f.remains AND other.id <> f.entity_id))`;
}

function uniqueColumns({ rules }: ReplicatedTable): string[] {
  return [...rules].flatMap(([column, { unique }]) => (unique ? column : []));
}

/**
 * Opens an identity conflict for each record at `positions` that has been written with a value that another one has.
 * Gives how many.
 */
export async function recordClashes(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  positions: readonly number[],
): Promise<number> {
  let opened = 0;
  for (const table of tables.values()) {
    for (const column of uniqueColumns(table)) {
      for (const clash of await clashesOf(client, table, column, positions)) {
        const [entry] = await incomingEntries(client, [clash.position]);
        await recordClash(client, tables, entry!, column, clash);
        opened += 1;
      }
    }
  }
  return opened;
}

interface Clash {
  readonly position: string;
  readonly value: unknown;
  readonly base: unknown;
  readonly other: string;
  readonly at: Date;
  readonly actor: string;
  readonly actorName: string | null;
  readonly role: string | null;
  readonly origin: string;
}

async function clashesOf(
  client: ClientBase,
  { name }: ReplicatedTable,
  column: string,
  positions: readonly number[],
): Promise<Clash[]> {
  const { rows } = await client.query<Clash>(
    `SELECT max(i.position) AS position, to_jsonb(t."${column}") AS value,
            (array_agg(i.before -> '${column}' ORDER BY i.position))[1] AS base, other.id AS other, author.*
     FROM incoming_entries i
     JOIN "${name}" t ON t.id = i.entity_id
     JOIN "${name}" other ON other."${column}" = t."${column}" AND other.id <> t.id
     CROSS JOIN LATERAL (
       SELECT j.origin, j.at, j.actor, j.actor_name AS "actorName", j.role FROM journal j
       WHERE j.patient_id = other.id AND j.entity_id = other.id AND j.after ? '${column}' ORDER BY j.seq DESC LIMIT 1) author
     WHERE i.position = ANY($1) AND i.entity = '${name}' AND i.after ? '${column}'
     GROUP BY t.id, t."${column}", other.id, author.origin, author.at, author.actor, author."actorName", author.role`,
    [positions],
  );
  return rows;
}

function recordClash(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  entry: IncomingEntry,
  column: string,
  { value, base, other, at, actor, actorName, role, origin }: Clash,
): Promise<void> {
  const central: DisputedSide = { value, actor, actorName, role, at: at.toISOString(), node: origin };
  const regional: DisputedSide = {
    value,
    actor: entry.actor,
    actorName: entry.actorName,
    role: entry.role,
    at: entry.at.toISOString(),
    node: entry.origin,
  };
  const fields = { [column]: { base: base ?? null, regional, central, kept: 'both' as const } };
  const draft = { kind: 'identity', severity: 'high', outcome: null, fields, otherId: other } as const;
  return recordConflict(client, tables, entry, draft);
}
