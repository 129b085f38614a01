import type { ClientBase } from 'pg';
import type { EntryArrays } from '../journal/chunk.js';
import { ENTRY_COLUMN_NAMES, ENTRY_COLUMNS, sentType } from '../journal/entry-columns.js';

const COLUMNS = ENTRY_COLUMN_NAMES.join(', ');
const OPENED = ENTRY_COLUMN_NAMES.map(
  (name, index) => `$${String(index + 1)}::${sentType(name)}[]::${ENTRY_COLUMNS[name]}[]`,
);

/** Whether two journals have the same entry at a position. Not by content: central may keep what a merge made of it. */
export const SAME_ENTRY =
  '(d.incarnation, d.change_set, d.entity_id, d.at) = (j.incarnation, j.change_set, j.entity_id, j.at)';

/** What a restored database lacks of its own journal. */
export interface Losses {
  /** Entries that its peer has and it has not. */
  readonly lost: number;
  /** Highest position that the peer has. */
  readonly last: number;
}

/**
 * Lays the entries of this node's own journal that its peer holds into the temporary table `delivered_entries` of
 * the session, and those of them that this database lacks into `lost_entries`. Change sets are kept together there
 * by `first_seq`, the lowest position of their set.
 */
export async function stageLostEntries(
  client: ClientBase,
  delivered: AsyncIterable<EntryArrays>,
): Promise<Losses> {
  await client.query('DROP TABLE IF EXISTS delivered_entries, lost_entries');
  await client.query(
    `CREATE TEMPORARY TABLE delivered_entries AS SELECT ${COLUMNS} FROM journal WITH NO DATA`,
  );
  await client.query('ALTER TABLE delivered_entries ADD PRIMARY KEY (origin_seq)');
  for await (const entries of delivered) {
    await client.query(
      `INSERT INTO delivered_entries (${COLUMNS})
       SELECT ${COLUMNS} FROM unnest(${OPENED.join(', ')}) AS entry(${COLUMNS}) ON CONFLICT DO NOTHING`,
      ENTRY_COLUMN_NAMES.map((column) => entries[column]),
    );
  }
  await client.query(
    `CREATE TEMPORARY TABLE lost_entries AS
     SELECT d.*, min(d.origin_seq) OVER (PARTITION BY d.incarnation, d.change_set) AS first_seq
     FROM delivered_entries d CROSS JOIN node
     WHERE NOT EXISTS (SELECT FROM journal j
                       WHERE j.seq = d.origin_seq AND j.origin = node.code AND ${SAME_ENTRY})`,
  );
  await client.query('ALTER TABLE lost_entries ADD PRIMARY KEY (origin_seq)');
  await client.query('CREATE INDEX ON lost_entries (first_seq)');
  await client.query('ANALYZE delivered_entries, lost_entries');
  const { rows } = await client.query<{ lost: number; last: string }>(
    `SELECT (SELECT count(*)::int FROM lost_entries) AS lost,
            (SELECT coalesce(max(origin_seq), 0) FROM delivered_entries) AS last`,
  );
  return { lost: rows[0]!.lost, last: Number(rows[0]!.last) };
}
