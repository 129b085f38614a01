import type { ClientBase } from 'pg';
import type { Cursor } from '../journal/chunk.js';
import type { NodeIdentity } from './node-identity.js';

/**
 * Central has applied another journal than this one: this database was restored from a backup, and what it had
 * sent since is missing here or has been written over by new changes. Sending on would pass over changes at
 * positions that central has already seen.
 */
export class RestoredJournalError extends Error {
  readonly code = 'REGION_RESTORED';

  constructor({ seq, incarnation }: Cursor) {
    super(
      `Central has applied this journal through ${String(seq)} of incarnation ${String(incarnation)}, where this ` +
        'database has something else: it was restored from an older backup',
    );
    this.name = 'RestoredJournalError';
  }
}

/** The last own entry up to a position, in the form of a cursor's witness. */
const OWN_WITNESS = `
  SELECT journal_witness(j.entity_id, j.change_set, j.at, coalesce(j.after, j.before)) AS witness
  FROM journal j JOIN node ON node.code = j.origin
  WHERE j.seq <= $1 ORDER BY j.seq DESC LIMIT 1`;

/** @throws {RestoredJournalError} */
export async function refuseRestoredJournal(
  client: ClientBase,
  node: NodeIdentity,
  cursor: Cursor,
): Promise<void> {
  const { rows } = await client.query<{ witness: string }>(OWN_WITNESS, [cursor.seq]);
  const witness = rows[0]?.witness ?? null;
  if (cursor.incarnation !== node.incarnation || witness !== cursor.witness)
    throw new RestoredJournalError(cursor);
}
