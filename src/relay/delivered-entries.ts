import type { Ask } from '../databases/ask.js';
import type { EntryArrays } from '../journal/chunk.js';
import { ENTRIES } from './page-statement.js';
import { JournalRemovedError } from './removed-months.js';

const PAGE_ENTRIES = 1_000;
const END = '9223372036854775807';
const START = '0';

/**
 * The peer's journal from its end: what of `origin` lies behind `after`, in no order. A relay delivers chunk by chunk, in
 * order, and `after` is where a chunk ended, so the first entry at or below it says that nothing more comes; but for those that have been in quarantine,
 * which may come to the journal at any later time. Every page looks at a bounded stretch of the journal.
 */
const JOURNAL_PAGE = `
  WITH page AS MATERIALIZED (SELECT * FROM journal WHERE seq < $3 ORDER BY seq DESC LIMIT ${String(PAGE_ENTRIES)}),
  delivered AS (SELECT * FROM page WHERE origin = $1 AND origin_seq > $2)
  SELECT (SELECT min(seq) FROM page) AS next, (SELECT count(*)::int FROM delivered) AS count,
         EXISTS (SELECT FROM page p WHERE p.origin = $1 AND p.origin_seq <= $2 AND NOT EXISTS (
           SELECT FROM quarantine q
           WHERE (q.origin, q.incarnation, q.origin_seq) = (p.origin, p.incarnation, p.origin_seq))) AS complete,
         ${ENTRIES}
  FROM delivered`;

const QUARANTINE_PAGE = `
  SELECT max(id) AS next, count(*)::int AS count, ${ENTRIES}
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
 * @throws {JournalRemovedError} when the peer has removed some of it for its age
 */
export async function* deliveredEntries(
  ask: Ask,
  origin: string,
  after: number,
): AsyncGenerator<EntryArrays> {
  const removed = await ask('SELECT FROM journal_removed WHERE origin = $1 AND through > $2', [
    origin,
    after,
  ]);
  if (removed.length > 0) throw new JournalRemovedError('central', after);
  for (let from: string | null = START; from !== null;) {
    const [page]: Page[] = await ask<Page>(QUARANTINE_PAGE, [origin, after, from]);
    if (page!.count > 0) yield page!;
    from = page!.next;
  }
  for (let before: string | null = END; before !== null;) {
    const [page]: Page[] = await ask<Page>(JOURNAL_PAGE, [origin, after, before]);
    if (page!.count > 0) yield page!;
    if (page!.complete) return;
    before = page!.next;
  }
}
