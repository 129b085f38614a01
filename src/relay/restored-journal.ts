import type { ClientBase } from 'pg';
import type { Cursor } from '../journal/chunk.js';
import type { NodeIdentity } from './node-identity.js';

/**
 * Central has more of this journal than the journal itself: this database was restored from a backup.
 * Sending on would reuse positions that central has already applied, and new changes would be passed over.
 */
export class RestoredJournalError extends Error {
  readonly code = 'REGION_RESTORED';

  constructor(cursor: Cursor, last: number) {
    super(
      `Central has applied this journal through ${String(cursor.seq)} of incarnation ${String(cursor.incarnation)}, ` +
        `but it ends at ${String(last)}: the database was restored from an older backup`,
    );
    this.name = 'RestoredJournalError';
  }
}

/** @throws {RestoredJournalError} */
export async function refuseRestoredJournal(
  client: ClientBase,
  node: NodeIdentity,
  cursor: Cursor,
): Promise<void> {
  const { rows } = await client.query<{ last: string }>('SELECT coalesce(max(seq), 0) AS last FROM journal');
  const last = Number(rows[0]?.last);
  if (cursor.seq > last || cursor.incarnation !== node.incarnation)
    throw new RestoredJournalError(cursor, last);
}
