import { Injectable, Logger } from '@nestjs/common';
import type { ClientBase } from 'pg';
import { raiseAlert } from '../alerts/raise-alert.js';
import { receivingTablesOf } from '../apply/receiving-tables.js';
import type { Ask } from '../databases/ask.js';
import type { Cursor } from '../journal/chunk.js';
import { replicatedTables } from '../journal/replicated-tables.js';
import { DataRouter } from '../routing/data-router.js';
import {
  type Applied,
  commonPosition,
  goOnFrom,
  leapBehind,
  readApplied,
  readCentral,
  returnToCentral,
} from './restored-central.js';
import { type OwnJournal, PEER } from './restored-journal.js';

/**
 * Gives a restored central back what it had made itself and this region has; what the region had sent is sent again
 * by itself, from central's cursor on.
 */
@Injectable()
export class CentralHealing {
  private readonly logger = new Logger(CentralHealing.name);

  constructor(private readonly router: DataRouter) {}

  async heal(home: ClientBase, own: OwnJournal, cursor: Cursor, central: Ask): Promise<void> {
    const resent = await countResent(home, own, cursor);
    const applied = await readApplied(home);
    const returned = applied ? await this.agree(home, applied, { central, cursor, resent }) : 0;
    if (resent + returned > 0) await this.tell(home, cursor, { central, resent, returned });
  }

  private async agree(
    home: ClientBase,
    applied: Applied,
    { central, cursor, resent }: { central: Ask; cursor: Cursor; resent: number },
  ): Promise<number> {
    const found = await readCentral(central);
    const unnoticed = applied.incarnation === found.incarnation;
    if (unnoticed && (applied.seq > found.drawn || resent > 0))
      await leapBehind(central, Math.max(applied.seq, found.drawn + 1));
    const { incarnation } = await readCentral(central);
    if (incarnation === applied.incarnation) return 0;
    const seen = applied.seq;
    const common = await commonPosition(home, central, cursor.origin, seen);
    const tables = await receivingTablesOf(central, replicatedTables(this.router.home));
    const returned = await returnToCentral(home, central, tables, { common, seen });
    await goOnFrom(home, { incarnation, seq: common });
    return returned;
  }

  private async tell(
    home: ClientBase,
    { origin: subject, seq }: Cursor,
    { central, resent, returned }: { central: Ask; resent: number; returned: number },
  ): Promise<void> {
    this.logger.warn(
      `Central was restored from an older backup: ${String(resent)} changes are sent again, ` +
        `${String(returned)} of its own are given back`,
    );
    const alert = { code: 'CENTRAL_RESTORED', subject, count: resent + returned } as const;
    await raiseAlert(central, alert);
    await home.query('BEGIN');
    await home.query(
      'UPDATE replication_peers SET acknowledged_seq = least(acknowledged_seq, $2) WHERE peer = $1',
      [PEER, seq],
    );
    await raiseAlert((sql, values) => home.query(sql, values), alert);
    await home.query('COMMIT');
  }
}

/** What central had confirmed, and has no more. */
async function countResent(home: ClientBase, own: OwnJournal, cursor: Cursor): Promise<number> {
  if (own.acknowledged <= cursor.seq) return 0;
  const { rows } = await home.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM journal j JOIN node ON node.code = j.origin
     WHERE j.seq > $1 AND j.seq <= $2`,
    [cursor.seq, own.acknowledged],
  );
  return rows[0]!.count;
}
