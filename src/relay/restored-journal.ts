import type { ClientBase } from 'pg';
import type { Cursor } from '../journal/chunk.js';

/** Whom a region exchanges with. */
export const PEER = 'central';

/** How this database's own journal looks from a peer's cursor. */
export interface OwnJournal {
  readonly incarnation: number;
  /** The last own entry at or below the cursor, in the form of its witness. */
  readonly witness: string | null;
  /** Highest position that was ever drawn. */
  readonly drawn: number;
  /** How far the peer had confirmed this journal when this database last wrote it down: complete through there. */
  readonly acknowledged: number;
  /** The last own entry that is certain to be the peer's too; 0 before the first. */
  readonly common: number;
}

const OWN_JOURNAL = `
  SELECT node.incarnation, witness.witness, s.last_value AS drawn, acknowledged.seq AS acknowledged,
         coalesce((SELECT j.seq FROM journal j WHERE j.origin = node.code AND j.seq <= least(acknowledged.seq, $1)
                   ORDER BY j.seq DESC LIMIT 1), 0) AS common
  FROM node CROSS JOIN journal_seq s
  CROSS JOIN LATERAL (SELECT coalesce(max(acknowledged_seq), 0) AS seq FROM replication_peers WHERE peer = $2) acknowledged
  LEFT JOIN LATERAL (
    SELECT journal_witness(j.entity_id, j.change_set, j.at, coalesce(j.after, j.before)) AS witness
    FROM journal j WHERE j.origin = node.code AND j.seq <= $1 ORDER BY j.seq DESC LIMIT 1) witness ON true`;

export async function readOwnJournal(client: ClientBase, peer: string, { seq }: Cursor): Promise<OwnJournal> {
  const { rows } = await client.query<Record<'drawn' | 'acknowledged' | 'common', string> & OwnJournal>(
    OWN_JOURNAL,
    [seq, peer],
  );
  const { incarnation, witness, drawn, acknowledged, common } = rows[0]!;
  return {
    incarnation,
    witness,
    drawn: Number(drawn),
    acknowledged: Number(acknowledged),
    common: Number(common),
  };
}

/** False when this database, or its peer, tells of another journal than the one that the cursor was moved along. */
export function isSameJournal(own: OwnJournal, cursor: Cursor): boolean {
  return own.incarnation === cursor.incarnation && own.witness === cursor.witness && own.drawn >= cursor.seq;
}
