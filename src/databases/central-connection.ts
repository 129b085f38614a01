import { setTimeout as pause } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { CentralAvailability } from '../routing/central-availability.js';
import type { Patiently } from './migrate.js';
import { initializeOrClose } from './prepare-database.js';
import { reasonOf } from './reason-of.js';
import { SilenceLimit } from './silence-limit.js';
import type { TrackedSockets } from './tracked-sockets.js';

export interface CentralOpening {
  /** The application's own data source. Opened here, closed by Nest. */
  readonly source: DataSource;
  /** Reaches, checks and migrates the database; fails when any of these does. `patiently` is for what takes long. */
  readonly prepare: (patiently: Patiently) => Promise<void>;
  readonly sockets: TrackedSockets;
  readonly availability: CentralAvailability;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 3_000;
/** A session that goes dead in mid-migration, when silence says nothing, must not hold an attempt for ever. */
const ATTEMPT_TIMEOUT_MS = 600_000;
/** What still waits for central when the node stops is ended after this. */
const STOP_GRACE_MS = 3_000;

/**
 * Opens the connection to central in the background, and goes on trying for as long as the node runs. The
 * node starts, serves and stops without it.
 */
@Injectable()
export class CentralConnection implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(CentralConnection.name);
  private readonly stopping = new AbortController();
  private readonly opened: Promise<DataSource>;
  private settle!: { resolve(source: DataSource): void; reject(reason: Error): void };
  private attempts: Promise<void> = Promise.resolve();
  private failure: Error | undefined;

  constructor(private readonly opening: CentralOpening) {
    this.opened = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    // On a central node it is the node's own, and Nest opened it before this.
    if (opening.source.isInitialized) this.markOpen();
    this.opened.catch(() => this.logger.debug('Stopped before central could be reached'));
  }

  /** True from the first time that central was reached and found usable. */
  get isOpen(): boolean {
    return this.opening.availability.isOpen;
  }

  /** Why the last attempt failed, its `cause` being the failure itself; `undefined` once open. */
  get lastError(): Error | undefined {
    return this.failure;
  }

  /**
   * Resolves when the connection is open; only then add subscribers, for TypeORM empties their list while
   * it opens. Rejects when `signal` aborts or the node stops before that.
   */
  whenOpen(signal?: AbortSignal): Promise<DataSource> {
    if (!signal) return this.opened;
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason as Error);
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      this.opened.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  }

  onApplicationBootstrap(): void {
    this.attempts = this.keepTrying();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.stop();
  }

  /** Ends the attempts. Resolves when none runs any more. */
  async stop(): Promise<void> {
    const reason = new Error('The node stops');
    this.stopping.abort(reason);
    this.settle.reject(reason);
    if (!this.isOpen) this.opening.sockets.destroyAll(reason);
    setTimeout(() => this.opening.sockets.destroyAll(reason), STOP_GRACE_MS).unref();
    await this.attempts;
  }

  private async keepTrying(): Promise<void> {
    let wait = FIRST_RETRY_MS;
    while (!this.isOpen && !this.stopping.signal.aborted) {
      try {
        await this.open();
      } catch (error) {
        this.report(error);
        await this.pause(wait * (0.5 + Math.random() / 2));
        wait = Math.min(wait * 2, LAST_RETRY_MS);
      }
    }
  }

  private async open(): Promise<void> {
    const { source, prepare, sockets } = this.opening;
    const timeout = setTimeout(
      () => sockets.destroyAll(new Error(`Central did not answer within ${ATTEMPT_TIMEOUT_MS / 1000} s`)),
      ATTEMPT_TIMEOUT_MS,
    );
    try {
      const silence = new SilenceLimit(sockets);
      await silence.during(async () => {
        await prepare((work) => silence.liftedFor(work));
        await initializeOrClose(source);
      });
    } finally {
      clearTimeout(timeout);
    }
    this.markOpen();
    this.logger.log('The central database is open');
  }

  private markOpen(): void {
    this.opening.availability.isOpen = true;
    this.failure = undefined;
    this.settle.resolve(this.opening.source);
  }

  private report(error: unknown): void {
    const failure = new Error(reasonOf(error), { cause: error });
    // The same failure every few seconds for hours would bury everything else.
    if (failure.message !== this.failure?.message && !this.stopping.signal.aborted) {
      this.logger.warn(`The central database cannot be opened yet: ${failure.message}`);
    }
    this.failure = failure;
  }

  private async pause(ms: number): Promise<void> {
    try {
      await pause(ms, undefined, { signal: this.stopping.signal });
    } catch (error) {
      if (!this.stopping.signal.aborted) throw error;
    }
  }
}
