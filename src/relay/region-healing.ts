import { Injectable, Logger } from '@nestjs/common';
import type { ClientBase } from 'pg';
import { type RaisedAlert, raiseAlert } from '../alerts/raise-alert.js';
import { CursorMovedError } from '../apply/apply-chunk.js';
import { beginIncarnation } from '../apply/begin-incarnation.js';
import { stageLostEntries } from '../apply/lost-entries.js';
import { receivingTables } from '../apply/receiving-tables.js';
import { recoverBatch, type RecoveredBatch } from '../apply/recover-entries.js';
import type { Ask } from '../databases/ask.js';
import type { Cursor } from '../journal/chunk.js';
import { RecoverySteps } from '../journal/recovery-steps.js';
import { replicatedTables } from '../journal/replicated-tables.js';
import { DataRouter } from '../routing/data-router.js';
import { deliveredEntries } from './delivered-entries.js';
import { type OwnJournal, PEER, readOwnJournal } from './restored-journal.js';

/** Brings back from central what a restored region had sent, under what it has written since. */
@Injectable()
export class RegionHealing {
  private readonly logger = new Logger(RegionHealing.name);

  constructor(
    private readonly router: DataRouter,
    private readonly steps: RecoverySteps,
  ) {}

  /** Gives the cursor to go on from: central's, of the incarnation that has begun. */
  async heal(client: ClientBase, own: OwnJournal, cursor: Cursor, central: Ask): Promise<Cursor> {
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
    const tables = await receivingTables(client, replicatedTables(this.router.home));
    await this.steps.run(client);
    const raise = (alert: RaisedAlert) => raiseAlert((sql, values) => client.query(sql, values), alert);
    for (let after: number | undefined = 0; after !== undefined;) {
      await client.query('BEGIN');
      const batch: RecoveredBatch | undefined = await recoverBatch(
        client,
        [...tables.values()],
        after,
        through,
      );
      if (batch) await raise({ code: 'REGION_RECOVERED', subject, count: batch.recovered });
      for (const record of batch?.covered ?? [])
        await raise({ code: 'RECOVERED_VALUE_COVERED', subject: record, count: 1 });
      await client.query('COMMIT');
      after = batch?.after;
    }
    this.logger.log('Everything that central had is back');
  }

  /** The last step: when it is not reached, the next attempt finds nothing lost and comes here again. */
  private async tellCentral(
    client: ClientBase,
    agreed: Cursor,
    known: Cursor,
    central: Ask,
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
}
