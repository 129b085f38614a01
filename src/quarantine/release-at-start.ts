import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { receivingTables } from '../apply/receiving-tables.js';
import { releaseHeld } from '../apply/release-held.js';
import { Config } from '../config/config.js';
import { openClient } from '../databases/own-client.js';
import { replicatedTables } from '../journal/replicated-tables.js';
import { DataRouter } from '../routing/data-router.js';

/** A lane may hold a day's changes. Milliseconds. */
const ANSWER_MS = 30_000;

/**
 * A central node that starts may have been upgraded: then it applies what newer regions had sent before. The relays of
 * regions do the same when they reach central.
 */
@Injectable()
export class ReleaseAtStart implements OnApplicationBootstrap {
  private readonly logger = new Logger(ReleaseAtStart.name);

  constructor(
    private readonly config: Config,
    private readonly router: DataRouter,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.config.mode !== 'central') return;
    try {
      await this.release();
    } catch (error) {
      // They stay held, and the next relay that comes or the next start takes them up.
      this.logger.warn(`What waited for an upgrade could not be taken up: ${String(error)}`);
    }
  }

  private async release(): Promise<void> {
    const source = this.router.home;
    const { client, close } = await openClient(source, ANSWER_MS, { pipeline: true });
    try {
      const tables = await receivingTables(client, replicatedTables(source));
      const { applied, refused } = await releaseHeld(client, tables);
      if (applied > 0) this.logger.log(`${String(applied)} changes that waited for an upgrade are applied`);
      if (refused > 0) this.logger.warn(`${String(refused)} of them are refused, and wait in quarantine`);
    } finally {
      close();
    }
  }
}
