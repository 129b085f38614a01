import type { EntryArrays } from '../journal/chunk.js';
import { ENTRY_COLUMN_NAMES } from '../journal/entry-columns.js';

/** Runs a query on the peer's database. */
export type AskPeer = <T extends object>(sql: string, values: unknown[]) => Promise<T[]>;

const PAGE_ENTRIES = 1_000;
const END = '9223372036854775807';
const START = '0';

/**
 * The peer's journal no longer reaches back to where this one was last known to agree with it, so nobody can tell
 * what is missing here. Remedy: restore a newer backup.
 */
export class DeliveredEntriesPrunedError extends Error {
  readonly code = 'REGION_RESTORED';

  constructor(readonly after: number) {
    super(`The peer's journal has nothing of this node at or below ${String(after)} any more`);
    this.name = 'DeliveredEntriesPrunedError';
  }
}

const ARRAYS = ENTRY_COLUMN_NAMES.map((column) => `array_send(array_agg(${column})) AS ${column}`).join(', ');

/**
 * The peer's journal from its end: what of `origin` lies behind `after`, in no order. A relay delivers in order, so
 * the first entry at or below `after` says that nothing more comes; but for those that have been in quarantine,
 * which may come to the journal at any later time. Every page looks at a bounded stretch of the journal.
 */
const JOURNAL_PAGE = `
  WITH page AS MATERIALIZED (SELECT * FROM journal WHERE seq < $3 ORDER BY seq DESC LIMIT ${String(PAGE_ENTRIES)}),
  delivered AS (SELECT * FROM page WHERE origin = $1 AND origin_seq > $2)
  SELECT (SELECT min(seq) FROM page) AS next, (SELECT count(*)::int FROM delivered) AS count,
         EXISTS (SELECT FROM page p WHERE p.origin = $1 AND p.origin_seq <= $2 AND NOT EXISTS (
           SELECT FROM quarantine q
           WHERE (q.origin, q.incarnation, q.origin_seq) = (p.origin, p.incarnation, p.origin_seq))) AS complete,
         ${ARRAYS}
  FROM delivered`;

const QUARANTINE_PAGE = `
  SELECT max(id) AS next, count(*)::int AS count, ${ARRAYS}
  FROM (SELECT * FROM quarantine WHERE origin = $1 AND origin_seq > $2 AND id > $3
        ORDER BY id LIMIT ${String(PAGE_ENTRIES)}) held`;

type Page = EntryArrays & {
  readonly next: string | null;
  readonly count: number;
  readonly complete?: boolean;
};

/**
 * Every entry of `origin` behind `after` that the database behind `ask` has received, applied or not, a page at a
 * time. Quarantine first: what a person retries meanwhile is then in the journal, and at worst read twice.
 * @throws {DeliveredEntriesPrunedError} when something behind `after` is not there any more
 */
export async function* deliveredEntries(
  ask: AskPeer,
  origin: string,
  after: number,
): AsyncGenerator<EntryArrays> {
  const removed = await removedThrough(ask, origin);
  if (removed > after) throw new DeliveredEntriesPrunedError(after);
  for (let from: string | null = START; from !== null;) {
    const [page]: Page[] = await ask<Page>(QUARANTINE_PAGE, [origin, after, from]);
    if (page!.count > 0) yield page!;
    from = page!.next;
  }
  for (let before = END; ;) {
    const [page] = await ask<Page>(JOURNAL_PAGE, [origin, after, before]);
    if (page!.count > 0) yield page!;
    if (page!.complete) return;
    if (page!.next === null) break;
    before = page!.next;
  }
  // What its end would tell was removed for its age, and nothing behind it.
  if (removed > 0) return;
  if (after > 0 && !(await wasAllHeld(ask, origin, after))) throw new DeliveredEntriesPrunedError(after);
}

/** Through where the peer has removed entries of `origin` for their age. */
async function removedThrough(ask: AskPeer, origin: string): Promise<number> {
  const [row] = await ask<{ through: string }>('SELECT through FROM journal_removed WHERE origin = $1', [
    origin,
  ]);
  return Number(row?.through ?? 0);
}

/** Nothing at or below `after` was ever applied, since all of it went to quarantine. */
async function wasAllHeld(ask: AskPeer, origin: string, after: number): Promise<boolean> {
  const held = await ask('SELECT FROM quarantine WHERE origin = $1 AND origin_seq <= $2 LIMIT 1', [
    origin,
    after,
  ]);
  return held.length > 0;
}
