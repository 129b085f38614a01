import type { ClientBase } from 'pg';
import type { EntryArrays } from '../journal/chunk.js';
import { digestOf } from '../journal/chunk-digest.js';
import { ENTRY_COLUMN_NAMES, sentForm } from '../journal/entry-columns.js';
import { type AskForPage, ENTRIES } from './page-statement.js';

/** What one look at the journal found. Positions are `seq`s. */
export interface JournalPage {
  /** Last position that is certain to be whole: no gap and, unless `null`, no open change set before it. */
  readonly border: number | null;
  /** Last position before the first gap. */
  readonly readable: number | null;
  /** First position behind the first gap that may still be filled. */
  readonly behindGap: number | null;
  readonly count: number;
  readonly tables: Readonly<Record<string, number>>;
  readonly entries: EntryArrays;
  readonly digest: string;
  /** Change sets that go on behind the page, with how many of their entries have been read. */
  readonly openSets: Readonly<Record<string, number>>;
  /** How many positions the page covers. */
  readonly scanned: number;
  /** Whether each of them is a border. */
  readonly plain: boolean;
}

export interface PageRequest {
  readonly after: number;
  readonly limit: number;
  /** Gaps up to here are known never to be filled. */
  readonly deadThrough: number;
  /** Change sets that were cut by the page before, with how many of their entries it held. */
  readonly openSets: Readonly<Record<string, number>>;
}

const DIGEST = digestOf(
  ENTRY_COLUMN_NAMES.map((column) => `array_agg(${sentForm(column)})`),
  { origin: '(SELECT code FROM node)', after: '$1::bigint', through: 'coalesce(cut.border, cut.readable)' },
);

/**
 * Reads the journal in `seq` order, never past a gap that a running transaction may still fill, and cut
 * where no change set is open. Only this node's own entries are carried.
 *
 * The running sum counts the change sets that have begun and not ended: where it is zero, a chunk may end. What
 * goes on with a change set that the page before has cut ends where that set ends, so that its transaction at
 * the receiver holds nothing else. When a whole page offers no such border (a change set larger than the
 * page), all of it is carried and the set goes on in the next chunk. Borders are found on narrow rows; the
 * wide ones are read once, when it is known which: sorting them cost a third of the statement.
 */
const READ_PAGE = `
  WITH page AS MATERIALIZED (
    SELECT j.seq, j.entity, j.schema, j.change_set_size AS size, j.origin = node.code AS own,
           CASE WHEN j.change_set_size > 1 THEN j.incarnation || '.' || j.change_set END AS set_key,
           lag(j.seq, 1, $1::bigint) OVER (ORDER BY j.seq) AS previous
    FROM (SELECT seq, origin, incarnation, change_set, change_set_size, entity, schema
          FROM journal WHERE seq > $1::bigint ORDER BY seq LIMIT $2::bigint) j
    CROSS JOIN node
  ), gap AS (
    SELECT min(seq) AS behind FROM page WHERE seq > previous + 1 AND seq > $3::bigint + 1
  ), counted AS (
    SELECT *, coalesce(($4::jsonb ->> set_key)::int, 0)
              + row_number() OVER (PARTITION BY own, set_key ORDER BY seq) AS nth
    FROM page WHERE seq < coalesce((SELECT behind FROM gap), 9223372036854775807)
  ), bordered AS MATERIALIZED (
    SELECT *, (SELECT count(*) FROM jsonb_object_keys($4::jsonb))
              + sum(CASE WHEN own AND size > 1 THEN (nth = 1)::int - (nth = size)::int ELSE 0 END)
                OVER (ORDER BY seq) AS open
    FROM counted
  ), cut AS MATERIALIZED (
    SELECT CASE WHEN $4::jsonb = '{}' THEN max(seq) FILTER (WHERE open = 0)
                ELSE min(seq) FILTER (WHERE open = 0) END AS border, max(seq) AS readable, count(*)::int AS scanned FROM bordered
  ), in_sets AS (
    SELECT b.set_key, b.nth, b.size FROM bordered b CROSS JOIN cut
    WHERE b.own AND b.size > 1 AND b.seq <= coalesce(cut.border, cut.readable)
  )
  SELECT json_build_object(
           'border', cut.border, 'readable', cut.readable, 'scanned', cut.scanned,
           'behindGap', (SELECT behind FROM gap),
           'plain', (SELECT bool_and(own AND size = 1 AND seq = previous + 1) FROM page),
           'openSets', $4::jsonb - ARRAY(SELECT set_key FROM in_sets)
             || (SELECT coalesce(jsonb_object_agg(set_key, seen), '{}')
                 FROM (SELECT set_key, max(nth) AS seen FROM in_sets GROUP BY set_key, size
                       HAVING max(nth) < size) unfinished),
           'count', carried.count, 'digest', carried.digest::text,
           'tables', (SELECT coalesce(json_object_agg(entity, newest), '{}')
                      FROM (SELECT entity, max(schema) AS newest FROM bordered
                            WHERE own AND seq <= coalesce(cut.border, cut.readable) GROUP BY entity) t))::text AS summary,
         ${ENTRY_COLUMN_NAMES.map((column) => `carried.${column}`).join(', ')}
  FROM cut CROSS JOIN LATERAL (
    SELECT count(*) AS count, ${DIGEST} AS digest,
           ${ENTRIES}
    FROM (SELECT journal.* FROM journal JOIN node ON node.code = journal.origin
          WHERE seq > $1::bigint AND seq <= coalesce(cut.border, cut.readable) ORDER BY seq) own
  ) carried`;

export async function readPage(
  ask: AskForPage,
  { after, limit, deadThrough, openSets }: PageRequest,
): Promise<JournalPage> {
  const values = [after, limit, deadThrough, JSON.stringify(openSets)];
  const statement = { name: 'relay-read-page', text: READ_PAGE, values };
  const [summary, entries] = await ask<Omit<JournalPage, 'entries'>>(statement);
  return { ...summary, entries };
}

/** The transactions that have drawn a position of the journal and have not ended. */
export async function positionHolders(client: ClientBase): Promise<string[]> {
  const result = await client.query<{ holder: string }>({
    name: 'relay-position-holders',
    text: `SELECT virtualtransaction AS holder FROM pg_locks
           WHERE locktype = 'relation' AND relation = 'journal_seq'::regclass
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  });
  return result.rows.map(({ holder }) => holder);
}
