import { Injectable } from '@nestjs/common';
import type { Ask } from '../databases/ask.js';
import { openClient } from '../databases/own-client.js';
import type { Cursor } from '../journal/chunk.js';
import { DataRouter } from '../routing/data-router.js';
import { CentralHealing } from './central-healing.js';
import { RegionHealing } from './region-healing.js';
import { refuseRemovedMonths } from './removed-months.js';
import { isSameJournal, PEER, readOwnJournal } from './restored-journal.js';

/** Longest silence of the node's own database, in milliseconds: a large change set comes back in one statement. */
const HOME_ANSWER_MS = 120_000;

/**
 * Before anything is sent, both sides must speak of the same journals. When either database was restored from a
 * backup, they do not: what one lost comes back from the other. Requests go on being served meanwhile; only this pair
 * waits.
 */
@Injectable()
export class JournalAgreement {
  constructor(
    private readonly router: DataRouter,
    private readonly region: RegionHealing,
    private readonly central: CentralHealing,
  ) {}

  /** Gives the cursor to go on from. May be cut at any point and begun again. */
  async reach(cursor: Cursor, central: Ask): Promise<Cursor> {
    const { client, close } = await openClient(this.router.home, HOME_ANSWER_MS);
    try {
      await refuseRemovedMonths(client, cursor);
      const own = await readOwnJournal(client, PEER, cursor);
      const agreed = isSameJournal(own, cursor)
        ? cursor
        : await this.region.heal(client, own, cursor, central);
      await this.central.heal(client, own, agreed, central);
      return agreed;
    } finally {
      close();
    }
  }
}
