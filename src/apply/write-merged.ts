import type { ClientBase, QueryConfig } from 'pg';
import { ENTRY_COLUMN_NAMES } from '../journal/entry-columns.js';
import { statementName } from '../journal/statement-name.js';
import { INCOMING_COLUMNS } from './incoming-entries.js';
import type { IncomingEntry } from './incoming-entry.js';
import type { Fields } from './merge.js';
import type { Plan, UpdatePlan } from './plan-entry.js';
import type { ReceivingTable } from './receiving-tables.js';
import { sendAll } from './send-all.js';
import { pick, rowOf } from './situation.js';
import { appendVerdicts, type Verdict } from './verdict.js';
import { expectations, writeRows } from './write-entries.js';

/** An entry, and what becomes of it. */
export interface PlannedEntry {
  readonly entry: IncomingEntry;
  readonly table: ReceivingTable;
  readonly plan: Plan;
}

/**
 * Appends entries to central's journal, with what came of them in place of what they asked for, writes the rows, and
 * tells every copy what has to be told. Each record occurs once.
 */
export async function writeMerged(
  client: ClientBase,
  tables: readonly ReceivingTable[],
  planned: readonly PlannedEntry[],
): Promise<void> {
  const told = planned.flatMap(verdictsOf);
  const verdicts = told.length > 0 ? [appendVerdicts(tables, told)] : [];
  await sendAll(client, [writeEffects(tables, planned), ...verdicts]);
}

/** What an entry does to its row: see {@link writeEffects}. */
interface Effect {
  readonly writes: 'insert' | 'update' | 'remove' | 'nothing';
  /** As central's journal has it. */
  readonly op: string;
  /** Of an update: the columns of the entry that take effect. */
  readonly effective?: readonly string[];
  /** Values that neither the row nor the entry has. */
  readonly restated?: Fields;
  /** The row to bring back. */
  readonly removed?: Fields;
}

function effectOf(plan: Plan): Effect {
  switch (plan.kind) {
    case 'insert':
      return { writes: 'insert', op: 'insert' };
    case 'remove':
      return { writes: 'remove', op: 'remove' };
    case 'update':
      return { writes: 'update', ...updated(plan) };
    case 'revive':
      return { writes: 'insert', ...updated(plan.update), removed: plan.removed };
    case 'keep':
    case 'nothing':
    case 'missing':
      return { writes: 'nothing', op: 'noop' };
  }
}

const updated = ({ effective, restated }: UpdatePlan) => ({
  op: effective.length === 0 ? 'noop' : 'update',
  effective,
  restated,
});

function verdictsOf({ entry, table, plan }: PlannedEntry): Verdict[] {
  const about = { record: entry, table, at: entry.at };
  const restored: Verdict = { op: 'restore', ...about };
  const merged = ({ verdicts }: UpdatePlan) =>
    verdicts.map(({ columns, at }): Verdict => ({ ...about, op: 'merge', columns, at }));
  switch (plan.kind) {
    case 'insert':
      return plan.isTold ? [restored] : [];
    case 'remove':
      return plan.isTold ? [{ ...about, op: 'remove' }] : [];
    case 'update':
      return merged(plan);
    case 'revive':
      return [...merged(plan.update), restored];
    case 'keep':
      return [restored];
    case 'nothing':
    case 'missing':
      return [];
  }
}

const JOURNALED = ENTRY_COLUMN_NAMES.map((column) =>
  ['op', 'before', 'after'].includes(column) ? `told_${column}` : column,
).join(', ');

/**
 * One statement for the entries and their rows, which all see the rows as they were. What had no effect at all stays as
 * it was asked for: it may be the only trace of a decision.
 */
function writeEffects(tables: readonly ReceivingTable[], planned: readonly PlannedEntry[]): QueryConfig {
  const effects = planned.map(({ entry: { position }, plan }) => ({ position, ...effectOf(plan) }));
  return {
    name: statementName(
      'write-effects',
      tables.map(({ name }) => name),
    ),
    text: `
      WITH effects AS MATERIALIZED (
        SELECT i.*, e.writes, e.op AS told_op, coalesce(e.restated, '{}') AS restated, e.removed,
               coalesce(${pick('i.after', 'e.effective')}, '{}') AS taken, e.effective,
               coalesce(e.removed, ${rowOf('i', tables)}) AS row
        FROM jsonb_to_recordset($1::jsonb) AS e(position bigint, writes text, op text, effective jsonb, restated jsonb,
                                                removed jsonb)
        JOIN incoming_entries i USING (position)
      ), told AS (
        SELECT *, CASE told_op WHEN 'update' THEN coalesce(${pick('row', 'effective')}, '{}')
                               WHEN 'remove' THEN row ELSE before END AS told_before,
               CASE WHEN told_op = 'update' THEN taken WHEN writes = 'nothing' THEN '{}' ELSE after END AS told_after
        FROM effects ORDER BY position
      ), appended AS (
        INSERT INTO journal (seq, ${INCOMING_COLUMNS}) SELECT nextval('journal_seq'), origin, ${JOURNALED} FROM told
      ), folded AS MATERIALIZED (
        SELECT entity, entity_id, writes <> 'insert' AS existed, writes <> 'remove' AS remains,
               CASE told_op WHEN 'insert' THEN after ELSE coalesce(removed, '{}') || taken || restated END AS after
        FROM effects WHERE writes <> 'nothing'
      )${tables.map(writeRows).join('')}
      SELECT ${expectations(tables)}`,
    values: [JSON.stringify(effects)],
  };
}
