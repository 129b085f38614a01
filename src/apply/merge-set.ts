import type { ClientBase } from 'pg';
import { ENTRY_COLUMN_NAMES } from '../journal/entry-columns.js';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import { foreignEntries, incomingEntries, type IncomingEntry, lastRemoval } from './incoming-entry.js';
import type { Fields } from './merge.js';
import { conflictsOf, type Plan, planEntry, type Situation, type UpdatePlan } from './plan-entry.js';
import { recordConflict } from './record-conflict.js';
import { appendRemoval, appendRestoration, appendVerdict } from './verdict.js';
import { insertedColumns } from './receiving-tables.js';
import { UnknownEntityError } from './write-entries.js';
import type { FailureCode } from '../observability/failures/failure-codes.js';

/** The record to change is not there, and never was: its parent may not have arrived. */
export class MissingRecordError extends Error {
  /** Permanent, as SQL's own finding of the same: see `failure.ts`. */
  readonly code = 'ML003' satisfies FailureCode;

  constructor(entity: string) {
    super(`A row of ${entity} to change is not there`);
    this.name = 'MissingRecordError';
  }
}

/**
 * Applies entries of `incoming_entries` one by one, in order, as {@link planEntry} decides: for change sets in which
 * someone changed what another node had changed meanwhile. In the transaction that is open on `client`, which
 * holds the locks of `lockShared`. Gives how many conflicts it has opened that wait for a person.
 */
export async function mergeSet(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  positions: readonly (number | string)[],
): Promise<number> {
  let opened = 0;
  for (const entry of await incomingEntries(client, positions)) {
    const table = tables.get(entry.entity);
    if (!table) throw new UnknownEntityError(entry.entity);
    const plan = planEntry(table.rules, entry, await situationOf(client, table, entry));
    await carryOut(client, table, entry, plan);
    for (const conflict of conflictsOf(plan)) {
      await recordConflict(client, tables, entry, conflict);
      if (conflict.outcome === null) opened += 1;
    }
    if (plan.kind === 'update' && plan.reopened) opened += 1;
  }
  return opened;
}

async function situationOf(
  client: ClientBase,
  table: ReplicatedTable,
  entry: IncomingEntry,
): Promise<Situation> {
  const found = await client.query<{ row: Fields }>(
    `SELECT to_jsonb(t) AS row FROM "${table.name}" t WHERE t.id = $1 FOR UPDATE`,
    [entry.entityId],
  );
  const row = found.rows[0]?.row;
  const foreign = await foreignEntries(client, entry);
  const removal = row ? undefined : await lastRemoval(client, entry);
  return { row, foreign, removal };
}

const INCOMING = '(SELECT after FROM incoming_entries WHERE position = $1)';

async function carryOut(
  client: ClientBase,
  table: ReplicatedTable,
  entry: IncomingEntry,
  plan: Plan,
): Promise<void> {
  switch (plan.kind) {
    case 'insert':
      await append(client, entry, 'op', 'before', 'after');
      await insertRow(client, table, INCOMING, entry.position);
      return plan.isTold ? appendRestoration(client, table, entry, entry.at) : undefined;
    case 'remove':
      await append(
        client,
        entry,
        'op',
        `(SELECT to_jsonb(t) FROM "${table.name}" t WHERE t.id = entity_id)`,
        'after',
      );
      await deleteRow(client, table, entry);
      return plan.isTold ? appendRemoval(client, table, entry) : undefined;
    case 'nothing':
      return append(client, entry, `'noop'`, 'before', `'{}'`);
    case 'keep':
      await append(client, entry, `'noop'`, 'before', `'{}'`);
      return appendRestoration(client, table, entry, entry.at);
    case 'revive':
      return revive(client, table, entry, plan);
    case 'update':
      return update(client, table, entry, plan);
    case 'missing':
      throw new MissingRecordError(table.name);
  }
}

async function revive(
  client: ClientBase,
  table: ReplicatedTable,
  entry: IncomingEntry,
  { removed, update: plan }: Extract<Plan, { kind: 'revive' }>,
): Promise<void> {
  await insertRow(client, table, '$1::jsonb', JSON.stringify(removed));
  await update(client, table, entry, plan);
  await appendRestoration(client, table, entry, entry.at);
}

async function update(
  client: ClientBase,
  table: ReplicatedTable,
  entry: IncomingEntry,
  { effective, restated, verdicts }: UpdatePlan,
): Promise<void> {
  const columns = table.columns.map((column) => `"${column}"`).join(', ');
  const names = effective.map((column) => `'${column.replaceAll(`'`, `''`)}'`);
  const taken = (from: string) =>
    `(SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(${from}) WHERE key = ANY(ARRAY[${names.join(', ')}]::text[]))`;
  const row = `(SELECT to_jsonb(t) FROM "${table.name}" t WHERE t.id = entity_id)`;
  // What had no effect at all stays as it was asked for: it may be the only trace of a decision.
  if (effective.length === 0) await append(client, entry, `'noop'`, 'before', 'after');
  else await append(client, entry, `'update'`, taken(row), taken('after'));
  await client.query(
    `UPDATE "${table.name}" t SET (${columns}) =
       (SELECT ${columns} FROM jsonb_populate_record(t, ${taken('i.after')} || $2::jsonb))
     FROM incoming_entries i WHERE i.position = $1 AND t.id = i.entity_id`,
    [entry.position, JSON.stringify(restated)],
  );
  for (const told of verdicts) await appendVerdict(client, table, entry, told);
}

/** Appends the entry to central's journal, with what came of it in place of what it asked for. */
async function append(
  client: ClientBase,
  { position }: IncomingEntry,
  op: string,
  before: string,
  after: string,
): Promise<void> {
  const instead: Partial<Record<string, string>> = { op, before, after };
  const values = ENTRY_COLUMN_NAMES.map((column) => instead[column] ?? column);
  await client.query(
    `INSERT INTO journal (seq, origin, ${ENTRY_COLUMN_NAMES.join(', ')})
     SELECT nextval('journal_seq'), origin, ${values.join(', ')} FROM incoming_entries WHERE position = $1`,
    [position],
  );
}

/** `content`: an expression of the row as JSON, with the parameter $1. */
async function insertRow(
  client: ClientBase,
  table: ReplicatedTable,
  content: string,
  parameter: string,
): Promise<void> {
  const { name, columns } = table;
  const list = columns.map((column) => `"${column}"`).join(', ');
  await client.query(
    `INSERT INTO "${name}" (${list}) SELECT ${insertedColumns(table, 'made.content')}
     FROM (SELECT ${content} AS content) made
     CROSS JOIN LATERAL jsonb_populate_record(NULL::"${name}", made.content) row`,
    [parameter],
  );
}

async function deleteRow(client: ClientBase, { name }: ReplicatedTable, entry: IncomingEntry): Promise<void> {
  await client.query(`DELETE FROM "${name}" WHERE id = $1`, [entry.entityId]);
}
