import type { ClientBase } from 'pg';
import { type DeliveredEntry, deliveredValues, type Delivery, openedDelivery } from '../journal/delivery.js';
import { ENTRY_COLUMN_NAMES } from '../journal/entry-columns.js';
import { statementName } from '../journal/statement-name.js';
import { CursorMovedError } from './apply-chunk.js';
import { foldDelivery, type OwnEdits } from './fold-delivery.js';
import { type DeliveredStep, laterOwnSteps, ownEdits } from './own-edits.js';
import type { ReceivingTable } from './receiving-tables.js';
import { isAhead } from './receiving-tables.js';
import { SchemaAheadError } from './refusal.js';
import { UnknownEntityError } from './write-entries.js';
import { insertedColumns, updatedColumns } from './written-columns.js';

const NO_EDITS: OwnEdits = { columns: new Set(), presence: undefined };

/**
 * Applies what came down from central, in the transaction that is open on `client`, with the cursor: lays it over the
 * rows, under this node's own edits that central had not judged, and appends it to the journal.
 * @throws {CursorMovedError} when this node stands elsewhere
 */
export async function applyDelivery(
  client: ClientBase,
  tables: ReadonlyMap<string, ReceivingTable>,
  delivery: Delivery,
): Promise<void> {
  await moveDownCursor(client, delivery);
  await layOver(client, tables, delivery);
}

/**
 * The same without the cursor: for a part of a delivery.
 * @throws {SchemaAheadError} when central is newer, and says what this node could not keep
 */
export async function layOver(
  client: ClientBase,
  tables: ReadonlyMap<string, ReceivingTable>,
  told: Delivery,
): Promise<void> {
  const delivery = told.incarnation > 1 ? { ...told, entries: await newEntries(client, told) } : told;
  refuseAhead(tables, delivery);
  const records = byRecord(stepsOf(delivery));
  for (const [name, steps] of records) {
    const table = tables.get(name);
    if (!table) throw new UnknownEntityError(name);
    await applyToTable(client, table, steps, delivery);
  }
  for (const { history } of delivery.copies) await appendHistory(client, history);
  await append(client, delivery.entries);
}

/** A central that was restored tells again what it was given again: what this node has of that is left out. */
async function newEntries(client: ClientBase, { entries }: Delivery): Promise<DeliveredEntry[]> {
  const same =
    '(j.origin, j.incarnation, j.origin_seq) = (entry.origin, entry.incarnation, entry.origin_seq)';
  const { rows } = await client.query<{ nth: string }>({
    name: 'known-entries',
    text: `SELECT nth FROM ${openedDelivery(1)}
     WHERE EXISTS (SELECT FROM journal j WHERE j.patient_id = entry.patient_id AND ${same})
        OR EXISTS (SELECT FROM journal j WHERE j.patient_id IS NULL AND entry.patient_id IS NULL AND ${same})`,
    values: deliveredValues(entries),
  });
  const known = new Set(rows.map(({ nth }) => Number(nth)));
  return entries.filter((_, index) => !known.has(index + 1));
}

/** A copy's rows have no version of their own: a column that is not known here tells. */
function refuseAhead(tables: ReadonlyMap<string, ReceivingTable>, { entries, copies }: Delivery): void {
  const newer = entries.some(({ entity, schema }) => isAhead(tables, { [entity!]: Number(schema) }));
  const wider = copies
    .flatMap(({ rows }) => rows)
    .some(({ table, row }) => {
      const columns = tables.get(table)?.columns ?? [];
      return Object.keys(JSON.parse(row) as object).some((column) => !columns.includes(column));
    });
  if (newer || wider) throw new SchemaAheadError();
}

/** @throws {CursorMovedError} when this node stands elsewhere */
export async function moveDownCursor(
  client: ClientBase,
  { incarnation, after, through }: Delivery,
): Promise<void> {
  const { rowCount } = await client.query({
    name: 'move-down-cursor',
    text: `UPDATE replication_cursors SET seq = $3, applied_at = clock_timestamp()
           WHERE origin = 'central' AND incarnation = $1 AND seq = $2`,
    values: [incarnation, after, through],
  });
  if (rowCount !== 1) throw new CursorMovedError({ origin: 'central', after });
}

/** Everything that is said, in the order of central's journal: a copy where the entry stands that asked for it. */
function stepsOf({ entries, copies }: Delivery): DeliveredStep[] {
  const said = entries.map(({ seq, entity, entity_id, op, after }) => ({
    seq: Number(seq),
    steps: [{ table: entity!, id: entity_id!, op: op!, after, seq: Number(seq) }],
  }));
  const copied = copies.map(({ seq, rows }) => ({
    seq,
    steps: rows.map(({ table, id, row }) => ({ table, id, op: 'copy', after: row, seq })),
  }));
  return [...said, ...copied].toSorted((one, other) => one.seq - other.seq).flatMap(({ steps }) => steps);
}

/** Steps by table, then by record. */
function byRecord(steps: readonly DeliveredStep[]): Map<string, Map<string, DeliveredStep[]>> {
  const tables = new Map<string, Map<string, DeliveredStep[]>>();
  for (const step of steps) {
    const records = tables.get(step.table) ?? new Map<string, DeliveredStep[]>();
    tables.set(step.table, records);
    records.set(step.id, [...(records.get(step.id) ?? []), step]);
  }
  return tables;
}

async function applyToTable(
  client: ClientBase,
  table: ReceivingTable,
  records: ReadonlyMap<string, readonly DeliveredStep[]>,
  delivery: Delivery,
): Promise<void> {
  const ids = [...records.keys()];
  // Waits for those who write these rows now: their entries are seen by the next statement.
  const { rows } = await client.query<{ id: string }>({
    name: statementName('lock-delivered', [table.name]),
    text: `SELECT t.id FROM "${table.name}" t WHERE t.id = ANY($1) ORDER BY t.id FOR UPDATE`,
    values: [ids],
  });
  const present = new Set(rows.map(({ id }) => id));
  const edits = await ownEdits(client, table, ids, delivery);
  const later = await laterOwnSteps(client, table, ids, delivery);
  const removed: string[] = [];
  const written = { create: [] as WrittenStep[], update: [] as WrittenStep[] };
  for (const [id, delivered] of records) {
    const steps = [...delivered, ...(later.get(id) ?? [])].toSorted((one, other) => one.seq - other.seq);
    const own = edits.get(id) ?? NO_EDITS;
    const folded = foldDelivery(present.has(id), steps, own);
    if (folded.outcome === 'remove') removed.push(id);
    if (!('steps' in folded)) continue;
    const kept = folded.outcome === 'update' ? [...own.columns] : [];
    written[folded.outcome].push(
      ...folded.steps.map((nth) => ({ id, after: steps[nth]!.after ?? '{}', kept })),
    );
  }
  if (removed.length > 0) await client.query(`DELETE FROM "${table.name}" WHERE id = ANY($1)`, [removed]);
  await create(client, table, written.create);
  await update(client, table, written.update);
}

interface WrittenStep {
  readonly id: string;
  /** JSON text. */
  readonly after: string;
  /** Columns that keep what this node has set. */
  readonly kept: readonly string[];
}

/** The steps of each record laid over each other, without what is kept. Parameters $1 to $3. */
const OVERLAID = `
  SELECT s.id, journal_overlay(s.after - ARRAY(SELECT jsonb_array_elements_text(s.kept)) ORDER BY s.nth) AS after
  FROM unnest($1::uuid[], $2::text[]::jsonb[], $3::text[]::jsonb[]) WITH ORDINALITY AS s(id, after, kept, nth)
  GROUP BY s.id`;

const overlaidValues = (steps: readonly WrittenStep[]) => [
  steps.map(({ id }) => id),
  steps.map(({ after }) => after),
  steps.map(({ kept }) => JSON.stringify(kept)),
];

async function create(client: ClientBase, table: ReceivingTable, steps: readonly WrittenStep[]) {
  if (steps.length === 0) return;
  const { name, columns } = table;
  const list = columns.map((column) => `"${column}"`).join(', ');
  await client.query({
    name: statementName('create-delivered', [name]),
    text: `INSERT INTO "${name}" (${list})
           SELECT ${insertedColumns(table, 'made.after')}
           FROM (${OVERLAID}) made CROSS JOIN LATERAL jsonb_populate_record(NULL::"${name}", made.after) row`,
    values: overlaidValues(steps),
  });
}

async function update(client: ClientBase, table: ReceivingTable, steps: readonly WrittenStep[]) {
  if (steps.length === 0) return;
  const { name } = table;
  await client.query({
    name: statementName('update-delivered', [name]),
    text: `UPDATE "${name}" t SET ${updatedColumns(table, 'laid.after')}
           FROM (${OVERLAID}) laid WHERE t.id = laid.id AND laid.after <> '{}'`,
    values: overlaidValues(steps),
  });
}

const COLUMNS = `origin, ${ENTRY_COLUMN_NAMES.join(', ')}`;

async function append(client: ClientBase, entries: readonly DeliveredEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await client.query({
    name: 'append-delivered',
    text: `INSERT INTO journal (seq, ${COLUMNS})
           SELECT nextval('journal_seq'), ${COLUMNS} FROM (SELECT * FROM ${openedDelivery(1)} ORDER BY nth) entry`,
    values: deliveredValues(entries),
  });
}

/** What this node has already, from an earlier time as a host, is not told twice. */
async function appendHistory(client: ClientBase, history: readonly DeliveredEntry[]): Promise<void> {
  if (history.length === 0) return;
  await client.query({
    name: 'append-history',
    text: `INSERT INTO journal (seq, ${COLUMNS})
     SELECT nextval('journal_seq'), ${COLUMNS} FROM (
       SELECT * FROM ${openedDelivery(1)}
       WHERE NOT EXISTS (SELECT FROM journal j WHERE j.patient_id = entry.patient_id AND j.origin = entry.origin
                         AND j.incarnation = entry.incarnation AND j.origin_seq = entry.origin_seq)
       ORDER BY nth) entry`,
    values: deliveredValues(history),
  });
}
