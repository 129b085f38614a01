import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type BeforeApplicationShutdown,
} from '@nestjs/common';
import type { ClientBase } from 'pg';
import type { Chunk } from '../journal/chunk.js';
import { JournalSignal } from '../journal/journal-signal.js';
import { DataRouter } from '../routing/data-router.js';
import { Backoff } from './backoff.js';
import { JournalReader, type NothingToSend } from './journal-reader.js';
import { leaseClient } from '../databases/leased-client.js';
import { LINK, type Link } from './link.js';
import { readNodeIdentity } from './node-identity.js';
import { PeerRecord } from './peer-record.js';
import { QuarantineWatch } from './quarantine-watch.js';
import { refuseRestoredJournal } from './restored-journal.js';
import { UplinkState } from './uplink-state.js';
import { WakeLatch } from './wake-latch.js';

/**
 * Entries that a chunk holds at most: about 600 KB of text. Between 250 and 2,000 an entry costs the databases
 * the same, and this process holds two chunks at a time.
 */
const CHUNK_ENTRIES = 500;
/** How often the journal is looked at without a wake-up: other processes write to it too. Milliseconds. */
const POLL_MS = 500;
/** How often a gap is looked at again: a transaction between its flush and its commit. Milliseconds. */
const GAP_POLL_MS = 5;
/**
 * While commits follow each other closely, how long to let them gather. One chunk for each took 1.6 ms of this
 * process and 0.85 ms of central for every create. Milliseconds.
 */
const GATHER_MS = 10;
/** How often an idle link is asked for a sign of life. Milliseconds. */
const HEARTBEAT_MS = 5_000;
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
  private running: Promise<void> = Promise.resolve();
  private lastContact = 0;

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
      this.latch.raise();
    });
    this.running = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    const cut = setTimeout(() => void this.link.close(), STOP_GRACE_MS);
    await this.running;
    clearTimeout(cut);
  }

  /** Looks at the journal and at the wish to pause at once. */
  wake(): void {
    this.latch.raise();
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        await this.exchange();
      } catch (error) {
        if (this.stopping.signal.aborted) break;
        this.noteFailure(error);
        await new WakeLatch().wait(this.backoff.next(), this.stopping.signal);
      }
    }
    await this.peer.save();
  }

  /** One connection's life: reach central, learn where it stands, and send until something breaks. */
  private async exchange(): Promise<void> {
    const source = await leaseClient(this.router.home);
    try {
      while (this.peer.paused && !this.stopping.signal.aborted) await this.stayPaused();
      if (this.stopping.signal.aborted) return;
      await this.send(source.client);
    } finally {
      await this.link.close();
      source.release();
    }
  }

  private async stayPaused(): Promise<void> {
    if (this.state.become('connecting')) this.logger.log('The exchange with central is paused');
    this.latch.reset();
    await this.latch.wait(POLL_MS, this.stopping.signal);
    await this.peer.load();
  }

  private async send(client: ClientBase): Promise<void> {
    const node = await readNodeIdentity(client);
    const cursor = await this.link.open(node, this.stopping.signal);
    await refuseRestoredJournal(client, node, cursor);
    await this.quarantine.refresh();
    this.acknowledge(cursor.seq);
    if (this.state.become('up'))
      this.logger.log(`Central is reached; it has this journal through ${String(cursor.seq)}`);
    const reader = new JournalReader(client, cursor, CHUNK_ENTRIES);
    this.latch.reset();
    let next = await reader.next();
    while (!this.stopping.signal.aborted && !this.peer.paused) {
      next = typeof next === 'string' ? await this.wait(reader, next) : await this.deliver(reader, next);
    }
  }

  /** In a backlog, delivers one chunk while the next is read: half again as fast as one after the other. */
  private async deliver(reader: JournalReader, chunk: Chunk): Promise<Chunk | NothingToSend> {
    const [next, delivery] = await Promise.all([
      reader.hasMore ? reader.next() : ('end' as const),
      this.link.deliver(chunk),
    ]);
    this.backoff.reset();
    if (delivery.refused + delivery.waiting > 0) await this.quarantine.noteDelivery(delivery);
    if (chunk.closed) this.acknowledge(chunk.through);
    this.state.deliver(chunk.count);
    return next;
  }

  private async wait(reader: JournalReader, reason: NothingToSend): Promise<Chunk | NothingToSend> {
    const isBusy = Date.now() - this.lastContact < 2 * GATHER_MS;
    if (reason === 'end' && isBusy) await this.gather();
    await this.latch.wait(reason === 'gap' ? GAP_POLL_MS : POLL_MS, this.stopping.signal);
    this.latch.reset();
    await this.peer.saveNowAndThen();
    if (Date.now() - this.lastContact > HEARTBEAT_MS) await this.heartbeat();
    return reader.next();
  }

  private async gather(): Promise<void> {
    await new WakeLatch().wait(GATHER_MS, this.stopping.signal);
  }

  private async heartbeat(): Promise<void> {
    await this.quarantine.refresh();
    this.lastContact = Date.now();
  }

  private acknowledge(seq: number): void {
    this.lastContact = Date.now();
    this.peer.acknowledge(seq);
  }

  private noteFailure(error: unknown): void {
    const { code, message } = this.state.fail(error);
    if (this.state.become('down'))
      this.logger.warn(`The exchange with central stopped (${code}): ${message}`);
  }
}
