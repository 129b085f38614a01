import { setTimeout as pause } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import { Config } from '../config/config.js';
import { CentralConnection } from '../databases/central-connection.js';
import { openClient, type OwnClient } from '../databases/own-client.js';
import { DataRouter } from '../routing/data-router.js';
import { readRetention, type RetentionRecord } from './retention-record.js';

/** A month ends seldom, and a peer may come back at any time. Milliseconds. */
const EVERY_MS = 60 * 60 * 1000;
/** A start has better things to do. Milliseconds. */
const FIRST_AFTER_MS = 60 * 1000;
/** Entries that are looked at, and at most removed, in one transaction: about 20 ms of the database. */
const BATCH = 1_000;
/** Between two of them, for everybody else. Milliseconds. */
const PAUSE_MS = 50;
/** Longest silence of a database, in milliseconds. */
const ANSWER_MS = 30_000;

interface Step {
  /** Null at the end. */
  readonly last: string | null;
  readonly old: number;
  readonly removed: number;
}

/**
 * Removes the months of the journal that nobody keeps any more, in the background. What may go is decided by the
 * database's function `journal_prune`, which nobody gets round. A standalone node looks after central's too.
 */
@Injectable()
export class JournalRetention implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(JournalRetention.name);
  private readonly stopping = new AbortController();
  private session: OwnClient | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly config: Config,
    private readonly router: DataRouter,
    private readonly central: CentralConnection,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.journalMonths !== undefined) this.running = this.keepPruning();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    // What is under way is rolled back, and done again another time.
    this.session?.close();
    await this.running;
  }

  /** Removes all that may go now. Gives how many entries of each database were removed; -1 when it failed. */
  async prune(months: number): Promise<number[]> {
    const removed: number[] = [];
    for (const source of this.sources()) removed.push(await this.pruneOne(source, months));
    return removed;
  }

  private async keepPruning(): Promise<void> {
    const { signal } = this.stopping;
    for (let wait = FIRST_AFTER_MS; await this.passes(wait); wait = EVERY_MS) {
      if (!signal.aborted) await this.prune(this.config.journalMonths!);
    }
  }

  private async passes(ms: number): Promise<boolean> {
    try {
      await pause(ms, undefined, { signal: this.stopping.signal, ref: false });
      return true;
    } catch (error) {
      if (this.stopping.signal.aborted) return false;
      throw error;
    }
  }

  private sources(): DataSource[] {
    const { home } = this.router;
    const alsoCentral = this.config.mode === 'standalone' && this.central.isOpen;
    return alsoCentral ? [home, this.router.centralSource()] : [home];
  }

  private async pruneOne(source: DataSource, months: number): Promise<number> {
    try {
      this.session = await openClient(source, ANSWER_MS);
      const { client } = this.session;
      const removed = await this.walk(client, months);
      if (removed > 0) this.logger.log({ event: 'journal-pruned', removed, months });
      await this.tellHeldBack(client, months);
      return removed;
    } catch (error) {
      if (!this.stopping.signal.aborted)
        this.logger.warn('Old months of the journal could not be removed; the next hour tries again', error);
      return -1;
    } finally {
      this.session?.close();
      this.session = undefined;
    }
  }

  private async tellHeldBack(client: ClientBase, months: number): Promise<void> {
    const ask = async (sql: string, values: unknown[]) =>
      (await client.query<RetentionRecord>(sql, values)).rows;
    const { heldBack } = await readRetention(ask, months);
    if (heldBack)
      this.logger.warn(
        `More than ${months} months of the journal are kept: a peer does not have all of it yet`,
      );
  }

  /** From the journal's beginning on, until nothing is old any more. */
  private async walk(client: ClientBase, months: number): Promise<number> {
    let removed = 0;
    for (let behind = '0'; ;) {
      const { rows } = await client.query<Step>('SELECT * FROM journal_prune($1, $2, $3)', [
        months,
        behind,
        BATCH,
      ]);
      const step = rows[0]!;
      removed += step.removed;
      if (step.old === 0 || step.last === null) return removed;
      behind = step.last;
      if (!(await this.passes(PAUSE_MS))) return removed;
    }
  }
}
