import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { openClient } from '../databases/own-client.js';
import { JournalSignal } from '../journal/journal-signal.js';
import { DataRouter } from '../routing/data-router.js';
import { Backoff } from './backoff.js';
import { ChunkSize } from './chunk-size.js';
import { Exchange } from './exchange.js';
import { LINK, type Link } from './link.js';
import { Pace } from './pace.js';
import { PeerRecord } from './peer-record.js';
import { QuarantineWatch } from './quarantine-watch.js';
import { RunningExchange } from './running-exchange.js';
import { UplinkState } from './uplink-state.js';
import { WakeLatch } from './wake-latch.js';

/**
 * Entries that a chunk holds at most: about 2.4 MB, of which this process holds three. An entry costs central 13 % less
 * of its processor than in chunks of 500, and in larger ones hardly less.
 */
const CHUNK_ENTRIES = 2_000;
/** Longest silence of the node's own database, in milliseconds. */
const HOME_ANSWER_MS = 30_000;
/** How many entries a page may have looks to PostgreSQL as if it mattered: planned anew each time, a small page took twice as long. */
const PLAN_ONCE = 'SET plan_cache_mode = force_generic_plan';
/** How often a paused exchange looks whether it may go on: another process may have ended the pause. Milliseconds. */
const PAUSE_POLL_MS = 500;
/** How long a stop waits for the chunk that is under way. Cutting it is safe: central has it whole, or not at all. */
const STOP_GRACE_MS = 2_000;

/**
 * Carries this node's journal to central, in order, for as long as the node runs. No request ever waits
 * for it: a failing link only means that the journal grows.
 */
@Injectable()
export class Uplink implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly state = new UplinkState();
  private readonly logger = new Logger(Uplink.name);
  private readonly latch = new WakeLatch();
  private readonly stopping = new AbortController();
  private readonly backoff = new Backoff();
  private readonly size = new ChunkSize(CHUNK_ENTRIES);
  private readonly pace = new Pace();
  private current: RunningExchange | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly router: DataRouter,
    @Inject(LINK) private readonly link: Link,
    private readonly peer: PeerRecord,
    private readonly quarantine: QuarantineWatch,
    private readonly signal: JournalSignal,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.peer.load();
    this.signal.listen(() => {
      this.pace.noteCommit();
      this.latch.raise();
    });
    this.running = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    this.current?.end();
    // Again and again, since a link that is just opening has nothing to cut yet.
    const cut = setInterval(() => void this.link.close(), STOP_GRACE_MS);
    await this.running;
    clearInterval(cut);
  }

  /** Looks at the journal and at the wish to pause at once. */
  wake(): void {
    this.latch.raise();
  }

  /** Gives the exchange up that is under way, whatever it waits for: its sessions are cut, and a new one begins. */
  restart(reason: Error): void {
    this.current?.cut(reason);
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        await this.stayPaused();
        if (!this.stopping.signal.aborted) await this.exchange();
      } catch (error) {
        if (this.stopping.signal.aborted) break;
        this.noteFailure(error);
        await new WakeLatch().wait(this.backoff.next(), this.stopping.signal);
      }
    }
    await this.saveAtTheEnd();
  }

  private async exchange(): Promise<void> {
    const home = await openClient(this.router.home, HOME_ANSWER_MS);
    const { link, peer, quarantine, state, latch, size, pace } = this;
    const progressed = () => {
      this.backoff.reset();
    };
    const parts = { link, peer, quarantine, state, latch, size, pace, progressed };
    const current = new RunningExchange();
    this.current = current;
    // A stop that came meanwhile had no exchange to end.
    if (this.stopping.signal.aborted) current.end();
    try {
      await home.client.query(PLAN_ONCE);
      await current.outcome((signal) => new Exchange(home.client, parts, signal).run());
    } finally {
      this.current = undefined;
      await this.link.close();
      home.close();
    }
  }

  private async stayPaused(): Promise<void> {
    while (this.peer.paused && !this.stopping.signal.aborted) {
      if (this.state.become('connecting')) this.logger.log('The exchange with central is paused');
      this.state.clock.rest();
      this.latch.reset();
      await this.latch.wait(PAUSE_POLL_MS, this.stopping.signal);
      await this.peer.load();
    }
  }

  private noteFailure(error: unknown): void {
    this.size.failed();
    const { code, message } = this.state.fail(error);
    if (this.state.become('down'))
      this.logger.warn(`The exchange with central stopped (${code}): ${message}`);
  }

  private async saveAtTheEnd(): Promise<void> {
    try {
      await this.peer.save();
    } catch (error) {
      // Being behind only lets changes look pending until central has been asked again.
      this.logger.warn(`What central has confirmed was not saved: ${String(error)}`);
    }
  }
}
