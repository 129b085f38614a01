import type { ClientBase } from 'pg';
import { ENTRY_COLUMN_NAMES } from '../journal/entry-columns.js';
import { SAME_ENTRY } from './lost-entries.js';

/** Longest wait for those who are just writing, and longest that they wait behind it. */
const LOCK_TIMEOUT = '3s';

/** From where to where the peer's and this journal may differ. */
export interface DisputedStretch {
  /** Both have the same through here. */
  readonly after: number;
  /** The peer has seen positions through here: nothing new may be at or below it. */
  readonly through: number;
  /** The incarnation that the peer knows. */
  readonly incarnation: number;
}

/**
 * Begins a new life of a restored journal: what was written since the restore, and the peer has not seen, moves
 * behind every position that was ever used, in its order, so that the positions which it had taken are free for
 * what was lost. The table's lock keeps writers out for as long as that takes; what they write then is of the new
 * incarnation, behind it. Does nothing when it was done already. Gives the incarnation that is in force, and how
 * many entries have moved.
 */
export async function beginIncarnation(
  client: ClientBase,
  stretch: DisputedStretch,
): Promise<{ incarnation: number; moved: number }> {
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    await client.query('LOCK TABLE journal IN SHARE ROW EXCLUSIVE MODE');
    const begun = await inTheWay(client, stretch);
    const incarnation = begun.needed
      ? Math.max(begun.incarnation, stretch.incarnation) + 1
      : begun.incarnation;
    if (begun.needed) await move(client, stretch.through, incarnation);
    await client.query('COMMIT');
    return { incarnation, moved: begun.needed ? begun.moving : 0 };
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

interface InTheWay {
  readonly incarnation: number;
  readonly moving: number;
  readonly needed: boolean;
}

/** Entries that the peer has not seen move together or not at all, so that they keep their order. */
async function inTheWay(
  client: ClientBase,
  { after, through, incarnation }: DisputedStretch,
): Promise<InTheWay> {
  await client.query({
    text: `CREATE TEMPORARY TABLE moving_entries ON COMMIT DROP AS
           WITH unsent AS (
             SELECT j.seq FROM journal j JOIN node ON node.code = j.origin
             WHERE j.seq > $1 AND NOT EXISTS (SELECT FROM delivered_entries d
                                              WHERE d.origin_seq = j.seq AND ${SAME_ENTRY})
           )
           SELECT j.* FROM journal j
           WHERE j.seq IN (SELECT seq FROM unsent WHERE EXISTS (SELECT FROM unsent WHERE seq <= $2)
                           UNION SELECT origin_seq FROM lost_entries)`,
    values: [after, through],
  });
  const { rows } = await client.query<InTheWay>(
    `SELECT node.incarnation, moving::int,
            moving > 0 OR s.last_value < $1 OR node.incarnation <= $2 AS needed
     FROM node, journal_seq s, (SELECT count(*) AS moving FROM moving_entries) m`,
    [through, incarnation],
  );
  return rows[0]!;
}

/**
 * Entries of an earlier life than the one that was restored keep their incarnation, which tells their change sets
 * from later ones.
 */
async function move(client: ClientBase, through: number, incarnation: number): Promise<void> {
  const columns = ENTRY_COLUMN_NAMES.filter((column) => column !== 'origin_seq' && column !== 'incarnation');
  await client.query(`SELECT setval('journal_seq', greatest(last_value, $1)) FROM journal_seq`, [through]);
  await client.query('ALTER TABLE journal DISABLE TRIGGER journal_append_only');
  await client.query('DELETE FROM journal WHERE seq IN (SELECT seq FROM moving_entries)');
  await client.query(
    `INSERT INTO journal (seq, origin, origin_seq, incarnation, ${columns.join(', ')})
     SELECT moved.seq, moved.origin,
            CASE WHEN moved.origin = node.code THEN moved.seq ELSE moved.origin_seq END,
            CASE WHEN moved.origin = node.code AND moved.incarnation = node.incarnation THEN $1
                 ELSE moved.incarnation END,
            ${columns.map((column) => `moved.${column}`).join(', ')}
     FROM (SELECT nextval('journal_seq') AS seq, origin, origin_seq, incarnation, ${columns.join(', ')}
           FROM (SELECT * FROM moving_entries ORDER BY seq) ordered) moved CROSS JOIN node`,
    [incarnation],
  );
  await client.query('ALTER TABLE journal ENABLE TRIGGER journal_append_only');
  await client.query('UPDATE node SET incarnation = $1', [incarnation]);
}
