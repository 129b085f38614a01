import { Injectable, Logger } from '@nestjs/common';
import type { ClientBase } from 'pg';
import { raiseAlert } from '../alerts/raise-alert.js';
import { CursorMovedError } from '../apply/apply-chunk.js';
import { beginIncarnation } from '../apply/begin-incarnation.js';
import { stageLostEntries } from '../apply/lost-entries.js';
import { recoverBatch } from '../apply/recover-entries.js';
import { openClient } from '../databases/own-client.js';
import type { Cursor } from '../journal/chunk.js';
import { RecoverySteps } from '../journal/recovery-steps.js';
import { replicatedTables } from '../journal/replicated-tables.js';
import { DataRouter } from '../routing/data-router.js';
import { type AskPeer, deliveredEntries } from './delivered-entries.js';
import { refuseRemovedMonths } from './removed-months.js';
import { isSameJournal, type OwnJournal, readOwnJournal } from './restored-journal.js';

const PEER = 'central';
/** Longest silence of the node's own database, in milliseconds: a large change set comes back in one statement. */
const HOME_ANSWER_MS = 120_000;

/**
 * Before anything is sent, both sides must speak of the same journal. When either database was restored from a
 * backup, they do not: what the region lost comes back from central, and what central lost is sent again. Requests
 * go on being served meanwhile; only this pair waits.
 */
@Injectable()
export class JournalAgreement {
  private readonly logger = new Logger(JournalAgreement.name);

  constructor(
    private readonly router: DataRouter,
    private readonly steps: RecoverySteps,
  ) {}

  /** Gives the cursor to go on from. May be cut at any point and begun again. */
  async reach(cursor: Cursor, central: AskPeer): Promise<Cursor> {
    const { client, close } = await openClient(this.router.home, HOME_ANSWER_MS);
    try {
      await refuseRemovedMonths(client, cursor);
      const own = await readOwnJournal(client, PEER, cursor);
      if (!isSameJournal(own, cursor)) return await this.healRegion(client, own, cursor, central);
      if (own.acknowledged > cursor.seq) await this.noteRestoredCentral(client, own, cursor, central);
      return cursor;
    } finally {
      close();
    }
  }

  private async healRegion(
    client: ClientBase,
    own: OwnJournal,
    cursor: Cursor,
    central: AskPeer,
  ): Promise<Cursor> {
    const { lost, last } = await stageLostEntries(
      client,
      deliveredEntries(central, cursor.origin, own.common),
    );
    const through = Math.max(cursor.seq, last);
    const { incarnation, moved } = await beginIncarnation(client, {
      after: own.common,
      through,
      incarnation: cursor.incarnation,
    });
    if (lost > 0 || moved > 0)
      this.logger.warn(
        `This database was restored from an older backup: ${String(lost)} changes come back from central, ` +
          `${String(moved)} that were made since are kept behind them`,
      );
    const subject = `${cursor.origin} incarnation ${String(incarnation)}`;
    if (lost > 0) await this.bringBack(client, through, subject);
    return this.tellCentral(client, { ...cursor, incarnation }, cursor, central);
  }

  private async bringBack(client: ClientBase, through: number, subject: string): Promise<void> {
    const tables = replicatedTables(this.router.home);
    await this.steps.run(client);
    for (let after = 0, more = true; more;) {
      await client.query('BEGIN');
      const batch = await recoverBatch(client, tables, after, through);
      if (batch)
        await raiseAlert((sql, values) => client.query(sql, values), {
          code: 'REGION_RECOVERED',
          subject,
          count: batch.recovered,
        });
      await client.query('COMMIT');
      more = batch !== null;
      after = batch?.after ?? after;
    }
    this.logger.log('Everything that central had is back');
  }

  /** The last step: when it is not reached, the next attempt finds nothing lost and comes here again. */
  private async tellCentral(
    client: ClientBase,
    agreed: Cursor,
    known: Cursor,
    central: AskPeer,
  ): Promise<Cursor> {
    const { witness } = await readOwnJournal(client, PEER, agreed);
    const told = await central(
      `UPDATE replication_cursors SET incarnation = $2, witness = $3
       WHERE origin = $1 AND incarnation = $4 AND seq = $5 RETURNING 1`,
      [agreed.origin, agreed.incarnation, witness, known.incarnation, known.seq],
    );
    if (told.length === 0) throw new CursorMovedError({ origin: known.origin, after: known.seq });
    return { ...agreed, witness };
  }

  /** What it had confirmed and has no more is sent again, since the exchange goes on from its cursor. */
  private async noteRestoredCentral(
    client: ClientBase,
    own: OwnJournal,
    cursor: Cursor,
    central: AskPeer,
  ): Promise<void> {
    const { rows } = await client.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM journal j JOIN node ON node.code = j.origin
       WHERE j.seq > $1 AND j.seq <= $2`,
      [cursor.seq, own.acknowledged],
    );
    const count = rows[0]!.count;
    this.logger.warn(`Central was restored from an older backup: ${String(count)} changes are sent again`);
    const alert = { code: 'CENTRAL_RESTORED', subject: cursor.origin, count } as const;
    await raiseAlert(central, alert);
    await client.query('BEGIN');
    await client.query('UPDATE replication_peers SET acknowledged_seq = $2 WHERE peer = $1', [
      PEER,
      cursor.seq,
    ]);
    await raiseAlert((sql, values) => client.query(sql, values), alert);
    await client.query('COMMIT');
  }
}
