import { digestOf } from '../journal/chunk-digest.js';
import { ENTRY_COLUMN_NAMES, sentForm } from '../journal/entry-columns.js';
import { type AskForPage, ENTRIES } from './page-statement.js';
import type { JournalPage } from './read-page.js';

const DIGEST = digestOf(
  ENTRY_COLUMN_NAMES.map((column) => `array_agg(${sentForm(column)})`),
  { origin: '(SELECT code FROM node)', after: '$1::bigint', through: 'max(seq)' },
);

const IS_PLAIN = `coalesce(bool_and(change_set_size = 1 AND origin = (SELECT code FROM node)), true)`;

/** The last position behind $1 before which nothing is missing. Found on the positions alone: entries are wide. */
const LAST_BEFORE_GAP = `(
    SELECT max(seq) FROM (
      SELECT seq, row_number() OVER (ORDER BY seq) AS nth
      FROM (SELECT seq FROM journal WHERE seq > $1::bigint ORDER BY seq LIMIT $2::bigint) positions) numbered
    WHERE seq = $1::bigint + nth)`;

/** No aggregate here may sort what it takes: PostgreSQL would hand all of them the entries in that order. */
const READ_PLAIN_PAGE = `
  SELECT json_build_object('plain', ${IS_PLAIN}, 'count', count(*), 'last', max(seq), 'digest', ${DIGEST}::text,
           'tables', (SELECT coalesce(json_object_agg(name, newest), '{}')
                      FROM (SELECT name, max(version) AS newest
                            FROM unnest(array_agg(entity), array_agg(schema)) AS e(name, version)
                            GROUP BY name) kind),
           'behind', (SELECT min(seq) FROM journal WHERE seq > coalesce(max(page.seq), $1::bigint)))::text AS summary,
         ${ENTRIES}
  FROM (SELECT * FROM journal WHERE seq > $1::bigint AND seq <= ${LAST_BEFORE_GAP} ORDER BY seq) page`;

interface PlainSummary extends Pick<JournalPage, 'count' | 'tables' | 'digest'> {
  readonly plain: boolean;
  readonly last: number | null;
  /** The first position behind the page. */
  readonly behind: number | null;
}

/**
 * The page behind the position `after`, up to the first gap and of at most `limit` entries, if it is plain: each entry is
 * this node's own and a change set by itself, so that every position is a border. Otherwise, and when it would begin with
 * a gap, `undefined`.
 *
 * Most pages are, and what finds borders in the others (`readPage`) takes a third more for a full page (117,000
 * instructions an entry, not 86,000), and twice as much for a page of one entry.
 */
export async function readPlainPage(
  ask: AskForPage,
  after: number,
  limit: number,
): Promise<JournalPage | undefined> {
  const statement = { name: 'relay-read-plain-page', text: READ_PLAIN_PAGE, values: [after, limit] };
  const [{ plain, last, behind, count, tables, digest }, entries] = await ask<PlainSummary>(statement);
  const behindGap = count < limit ? behind : null;
  if (!plain || (count === 0 && behindGap !== null)) return undefined;
  const whole = { border: last, readable: last, behindGap, openSets: {}, scanned: count };
  return { ...whole, plain, count, tables, entries, digest };
}
