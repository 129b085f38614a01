import type { ClientBase } from 'pg';
import { isAhead, type ReceivingTable } from '../apply/receiving-tables.js';
import { SchemaAheadError } from '../apply/refusal.js';
import { returnEntries } from '../apply/return-entries.js';
import type { Ask } from '../databases/ask.js';
import { DELIVERED_COLUMNS, type DeliveredEntry } from '../journal/delivery.js';

/** So many positions are passed over: more than any other region has seen beyond this one. */
const LEAP = 1_000_000_000;
/** Deliveries that are compared at a time, newest first. */
const PAGE_DELIVERIES = 500;
/** Patients whose entries go back in one transaction. */
const LANES_AT_ONCE = 50;

/** How far this node had applied central's journal, and in which of its lives. */
export interface Applied {
  readonly incarnation: number;
  readonly seq: number;
}

export async function readApplied(home: ClientBase): Promise<Applied | undefined> {
  const { rows } = await home.query<{ incarnation: number; seq: string }>(
    `SELECT incarnation, seq FROM replication_cursors WHERE origin = 'central'`,
  );
  return rows[0] && { incarnation: rows[0].incarnation, seq: Number(rows[0].seq) };
}

/**
 * Lets a restored central that has not noticed go on behind all that any region has seen of it, in a new incarnation:
 * `seen` is what this one has. Does nothing when it stands behind that already.
 */
export async function leapBehind(central: Ask, seen: number): Promise<void> {
  await central('BEGIN');
  await central('LOCK TABLE journal IN SHARE ROW EXCLUSIVE MODE');
  await central(
    `UPDATE node SET incarnation = incarnation + 1 WHERE (SELECT last_value FROM journal_seq) < $1::bigint`,
    [seen],
  );
  await central(
    `SELECT setval('journal_seq', $1::bigint + ${String(LEAP)}) FROM journal_seq WHERE last_value < $1::bigint`,
    [seen],
  );
  await central('COMMIT');
}

/** The incarnation of central's journal, and the highest position that it has drawn. */
export async function readCentral(central: Ask): Promise<{ incarnation: number; drawn: number }> {
  const [row] = await central<{ incarnation: number; drawn: string }>(
    'SELECT node.incarnation, s.last_value AS drawn FROM node CROSS JOIN journal_seq s',
  );
  return { incarnation: row!.incarnation, drawn: Number(row!.drawn) };
}

/**
 * The last position at or below `seen` of which both have the same: found among what central has for the region,
 * newest first. What was removed for its age lies below.
 */
export async function commonPosition(
  home: ClientBase,
  central: Ask,
  region: string,
  seen: number,
): Promise<number> {
  for (let before = seen + 1; ;) {
    const page = await central<DeliveredEntry>(
      `SELECT ${DELIVERED_COLUMNS} FROM journal WHERE journal.seq IN (
         SELECT d.seq FROM deliveries d WHERE d.region = $1 AND d.seq < $2 ORDER BY d.seq DESC LIMIT $3)
       ORDER BY journal.seq DESC`,
      [region, before, PAGE_DELIVERIES],
    );
    for (const entry of page) if (await isKnown(home, entry)) return Number(entry.seq);
    if (page.length < PAGE_DELIVERIES) break;
    before = Number(page.at(-1)!.seq);
  }
  const [removed] = await central<{ through: string }>('SELECT through FROM journal_retention');
  return Math.min(seen, Number(removed?.through ?? 0));
}

async function isKnown(home: ClientBase, entry: DeliveredEntry): Promise<boolean> {
  const { rowCount } = await home.query(
    `SELECT FROM journal j WHERE (j.patient_id = $1 OR j.patient_id IS NULL AND $1 IS NULL)
       AND j.origin = $2 AND j.incarnation = $3 AND j.origin_seq = $4 LIMIT 1`,
    [entry.patient_id, entry.origin, entry.incarnation, entry.origin_seq],
  );
  return rowCount !== 0;
}

/**
 * Sends central's own entries behind `common` back to it. Gives how many it had lost. Since the restore it has gone on
 * behind `seen`, so what it has at or below is older than they are.
 * @throws {SchemaAheadError} when central was restored to before an upgrade, and could not keep all of it
 */
export async function returnToCentral(
  home: ClientBase,
  central: Ask,
  tables: ReadonlyMap<string, ReceivingTable>,
  { common, seen }: { readonly common: number; readonly seen: number },
): Promise<number> {
  const { rows: lanes } = await home.query<{ lane: string | null }>(
    `SELECT DISTINCT patient_id AS lane FROM journal WHERE origin = 'central' AND origin_seq > $1`,
    [common],
  );
  let returned = 0;
  for (let from = 0; from < lanes.length; from += LANES_AT_ONCE) {
    const some = lanes.slice(from, from + LANES_AT_ONCE).map(({ lane }) => lane);
    const { rows } = await home.query<DeliveredEntry>(
      `SELECT ${DELIVERED_COLUMNS} FROM journal
       WHERE origin = 'central' AND origin_seq > $1 AND (patient_id = ANY($2) OR patient_id IS NULL AND $3)
       ORDER BY origin_seq`,
      [common, some.filter((lane) => lane !== null), some.includes(null)],
    );
    const isNewer = rows.some(({ entity, schema }) => isAhead(tables, { [entity!]: Number(schema) }));
    if (isNewer) throw new SchemaAheadError();
    returned += await returnEntries(central, [...tables.values()], rows, seen);
  }
  return returned;
}

/** This node is told again what lies behind `common`; what it has of that, it passes over. */
export async function goOnFrom(home: ClientBase, { incarnation, seq }: Applied): Promise<void> {
  await home.query(`UPDATE replication_cursors SET incarnation = $1, seq = $2 WHERE origin = 'central'`, [
    incarnation,
    seq,
  ]);
}
