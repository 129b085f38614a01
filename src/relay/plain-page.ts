import type { ClientBase } from 'pg';
import type { EntryArrays } from '../journal/chunk.js';
import { digestOf } from '../journal/chunk-digest.js';
import { ENTRY_COLUMN_NAMES } from '../journal/entry-columns.js';
import type { JournalPage } from './read-page.js';

const DIGEST = digestOf(
  ENTRY_COLUMN_NAMES.map((column) => `array_agg(${column})`),
  { origin: '(SELECT code FROM node)', after: '$1::bigint', through: 'max(seq)' },
);

/** Without entries there is nothing that could be missing. */
const IS_PLAIN = `coalesce(max(seq) - $1::bigint = count(*)
    AND bool_and(change_set_size = 1 AND origin = (SELECT code FROM node)), true)`;

/** No aggregate here may sort what it takes: PostgreSQL would hand all of them the entries in that order. */
const READ_PLAIN_PAGE = `
  SELECT ${IS_PLAIN} AS plain, count(*)::int AS count, max(seq) AS last,
         (SELECT coalesce(json_object_agg(name, newest), '{}')
          FROM (SELECT name, max(version) AS newest FROM unnest(array_agg(entity), array_agg(schema)) AS e(name, version)
                GROUP BY name) kind) AS tables, ${DIGEST} AS digest,
         ${ENTRY_COLUMN_NAMES.map((column) => `array_send(array_agg(${column})) AS ${column}`).join(', ')}
  FROM (SELECT * FROM journal WHERE seq > $1::bigint ORDER BY seq LIMIT $2) page`;

type PlainRow = EntryArrays &
  Pick<JournalPage, 'count' | 'tables' | 'digest'> & {
    readonly plain: boolean;
    readonly last: string | null;
  };

/**
 * The page behind the position `after` of at most `limit` entries, if it is plain: nothing is missing in it, and each
 * entry is this node's own and a change set by itself, so that every position is a border. Otherwise `undefined`.
 *
 * Most pages are, and what finds borders in the others (`readPage`) takes a third more for a full page (117,000
 * instructions an entry, not 86,000), and twice as much for a page of one entry.
 */
export async function readPlainPage(
  client: ClientBase,
  after: number,
  limit: number,
): Promise<JournalPage | undefined> {
  const result = await client.query<PlainRow>({
    name: 'relay-read-plain-page',
    text: READ_PLAIN_PAGE,
    values: [after, limit],
  });
  const { plain, last, count, tables, digest, ...entries } = result.rows[0]!;
  if (!plain) return undefined;
  const border = last === null ? null : Number(last);
  const whole = { border, readable: border, behindGap: null, openSets: {}, scanned: count };
  return { ...whole, plain, count, tables, entries, digest };
}
