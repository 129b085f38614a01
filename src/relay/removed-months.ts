import type { ClientBase } from 'pg';
import { raiseAlert } from '../alerts/raise-alert.js';
import type { Cursor } from '../journal/chunk.js';
import type { FailureCode } from '../observability/failures/failure-codes.js';

/**
 * A cursor stands where the journal begins no more: its database was restored from a backup that is older than the
 * months which the other side keeps, or was set up anew. What lies between cannot be sent any more. Remedy: restore a
 * newer backup.
 */
export class JournalRemovedError extends Error {
  readonly code = 'JOURNAL_REMOVED' satisfies FailureCode;

  constructor(whose: string, position: number) {
    super(
      `The journal of ${whose} is wanted from ${String(position)} on, and was removed there for its age: ` +
        'a newer backup has to be restored on the side that wants it',
    );
    this.name = 'JournalRemovedError';
  }
}

/**
 * Before own entries are sent from `cursor` on: an entry at or below it must be left, which tells that nothing
 * between is missing.
 * @throws {JournalRemovedError}
 */
export async function refuseRemovedMonths(home: ClientBase, { seq, origin }: Cursor): Promise<void> {
  const { rowCount } = await home.query(
    `SELECT FROM journal_removed removed JOIN node ON node.code = removed.origin
     WHERE removed.through > coalesce((SELECT j.seq FROM journal j WHERE j.origin = removed.origin AND j.seq <= $1
                                       ORDER BY j.seq DESC LIMIT 1), 0)`,
    [seq],
  );
  if (rowCount === 0) return;
  await tellOnce(home, origin);
  throw new JournalRemovedError(origin, seq);
}

/**
 * Before what central has for `region` is received behind `seq`. It removes only what a region has said to have:
 * less than that has who was restored since.
 * @throws {JournalRemovedError}
 */
export async function refuseRemovedAtCentral(
  home: ClientBase,
  central: ClientBase,
  { region, seq }: { readonly region: string; readonly seq: number },
): Promise<void> {
  const { rowCount } = await central.query(
    `SELECT FROM journal_retention r JOIN replication_peers p ON p.peer = $1
     WHERE least(r.through, p.acknowledged_seq) > $2`,
    [region, seq],
  );
  if (rowCount === 0) return;
  await tellOnce(home, 'central');
  throw new JournalRemovedError('central', seq);
}

/** It is found again at each attempt, and stays one alert. */
async function tellOnce(home: ClientBase, subject: string): Promise<void> {
  const code = 'JOURNAL_REMOVED';
  const open = await home.query(
    'SELECT FROM alerts WHERE code = $1 AND subject = $2 AND acknowledged_at IS NULL',
    [code, subject],
  );
  if (open.rowCount === 0)
    await raiseAlert((sql, values) => home.query(sql, values), { code, subject, count: 1 });
}
