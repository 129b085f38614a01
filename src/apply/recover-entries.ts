import type { ClientBase } from 'pg';
import { ENTRY_COLUMN_NAMES } from '../journal/entry-columns.js';
import { layUnder } from './lay-under.js';
import type { ReceivingTable } from './receiving-tables.js';

/** Entries that come back in one transaction; a change set is never split. */
const BATCH_ENTRIES = 500;

export interface RecoveredBatch {
  /** Where the next batch begins. */
  readonly after: number;
  readonly recovered: number;
  /** Records (table and id) in which a value that came back lies under another one, written since. */
  readonly covered: readonly string[];
}

/**
 * Brings a batch of `lost_entries` back: the entries to their own positions in the journal, and what they changed
 * into the rows, under what this node has changed since and its peer has not seen (behind `through`). A row that
 * the entries change without having made it, and that is not there, is left to whoever sends it. Gives
 * `undefined` when none is left.
 */
export async function recoverBatch(
  client: ClientBase,
  tables: readonly ReceivingTable[],
  after: number,
  through: number,
): Promise<RecoveredBatch | undefined> {
  const { rows } = await client.query<{ last: string | null }>(
    `SELECT max(first_seq) AS last FROM (
       SELECT first_seq FROM lost_entries WHERE first_seq > $1 ORDER BY first_seq LIMIT ${String(BATCH_ENTRIES)}
     ) batch`,
    [after],
  );
  const last = rows[0]!.last;
  if (last === null) return undefined;
  // Whoever is writing these rows ends first; what they wrote is then seen as this node's own.
  for (const { name } of tables) {
    await client.query(
      `SELECT FROM "${name}" t WHERE t.id IN (SELECT entity_id FROM lost_entries
         WHERE entity = '${name}' AND first_seq > $1 AND first_seq <= $2) ORDER BY t.id FOR UPDATE`,
      [after, last],
    );
  }
  const result = await client.query<Omit<RecoveredBatch, 'after'>>(recoverStatement(tables), [
    after,
    last,
    through,
  ]);
  return { after: Number(last), ...result.rows[0]! };
}

function recoverStatement(tables: readonly ReceivingTable[]): string {
  const columns = ENTRY_COLUMN_NAMES.join(', ');
  return `
    WITH lost AS MATERIALIZED (
      SELECT (SELECT code FROM node) AS origin, ${columns} FROM lost_entries
      WHERE first_seq > $1 AND first_seq <= $2
    ), appended AS (
      INSERT INTO journal (seq, origin, ${columns}) SELECT origin_seq, origin, ${columns} FROM lost RETURNING 1
    ), ${layUnder(tables, 'FROM journal j JOIN node ON node.code = j.origin WHERE j.seq > $3')}
    SELECT (SELECT count(*)::int FROM appended) AS recovered,
           ARRAY(SELECT entity || ' ' || entity_id FROM wanted WHERE covered) AS covered`;
}
