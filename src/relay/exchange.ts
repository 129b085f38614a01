import { Logger } from '@nestjs/common';
import type { ClientBase } from 'pg';
import type { Chunk, Cursor } from '../journal/chunk.js';
import type { ChunkSize } from './chunk-size.js';
import { JournalReader, type NothingToSend } from './journal-reader.js';
import type { Link } from './link.js';
import { type NodeIdentity, readNodeIdentity } from './node-identity.js';
import type { Pace } from './pace.js';
import type { PeerRecord } from './peer-record.js';
import type { QuarantineWatch } from './quarantine-watch.js';
import type { UplinkState } from './uplink-state.js';
import { WakeLatch } from './wake-latch.js';

/** How often the journal is looked at without a wake-up: other processes write to it too. Milliseconds. */
const POLL_MS = 500;
/** How often a gap is looked at again: a transaction between its flush and its commit. Milliseconds. */
const GAP_POLL_MS = 5;
/**
 * While commits follow each other closely, how long to let them gather. One chunk for each took 1.6 ms of this
 * process and 0.85 ms of central for every create. Milliseconds.
 */
const GATHER_MS = 20;
/** How often an idle link is asked for a sign of life. Milliseconds. */
const HEARTBEAT_MS = 5_000;
/** How many chunks may be on their way while central applies one. */
const CHUNKS_AHEAD = 1;
/** How often a process that stands by asks whether it is to send now. Milliseconds. */
const STANDBY_POLL_MS = 250;

/** What an exchange works with. */
export interface ExchangeParts {
  readonly link: Link;
  readonly peer: PeerRecord;
  readonly quarantine: QuarantineWatch;
  readonly state: UplinkState;
  readonly latch: WakeLatch;
  readonly size: ChunkSize;
  readonly pace: Pace;
  /** Called after each chunk that arrived. */
  readonly progressed: () => void;
}

/** One connection's life: learn where central stands, and send until something breaks or the exchange is paused. */
export class Exchange {
  private readonly logger = new Logger(Exchange.name);
  /** By the monotonic clock: the wall clock may step. */
  private lastContact = 0;
  /** What is on its way to central, in order. */
  private readonly underWay: Promise<void>[] = [];

  constructor(
    private readonly client: ClientBase,
    private readonly parts: ExchangeParts,
    private readonly stop: AbortSignal,
  ) {}

  async run(): Promise<void> {
    const { peer, quarantine, latch } = this.parts;
    const node = await readNodeIdentity(this.client);
    const cursor = await this.reach(node);
    if (!cursor) return;
    await quarantine.refresh();
    this.acknowledge(cursor.seq);
    const reader = new JournalReader(this.client, cursor);
    latch.reset();
    let next = await this.read(reader);
    while (!this.isOver) {
      next = typeof next === 'string' ? await this.wait(reader, next) : await this.deliver(reader, next);
      await peer.refresh(this.client);
    }
    await this.arrival();
  }

  private get isOver(): boolean {
    return this.stop.aborted || this.parts.peer.paused !== undefined;
  }

  /**
   * Reaches central, and waits for as long as another process sends for this region. `undefined` when the exchange
   * is paused or stopped before that.
   */
  private async reach(node: NodeIdentity): Promise<Cursor | undefined> {
    const { peer, state } = this.parts;
    while (!this.isOver) {
      const cursor = await this.open(node);
      if (cursor !== 'standby') {
        // Who sent before may have stopped because of a pause.
        await peer.load();
        return this.isOver ? undefined : cursor;
      }
      if (state.become('standby'))
        this.logger.log('Another process sends for this region: this one stands by');
      state.clock.rest();
      await new WakeLatch().wait(STANDBY_POLL_MS, this.stop);
      await peer.follow(this.client);
    }
    return undefined;
  }

  private async open(node: NodeIdentity): Promise<Cursor | 'standby'> {
    const { link, state } = this.parts;
    try {
      const cursor = await link.open(node, this.stop);
      state.clock.reached();
      return cursor;
    } catch (error) {
      state.clock.rest();
      throw error;
    }
  }

  /**
   * In a backlog, one chunk is read and another is on its way while central applies a third: it never waits for this
   * side, unless this side has more urgent work than a backlog.
   */
  private async deliver(reader: JournalReader, chunk: Chunk): Promise<Chunk | NothingToSend> {
    const begun = performance.now();
    const sent = this.send(chunk, this.underWay.at(-1)).then(() => reader.done(chunk));
    // Whoever waits for its arrival hears of its failure. Nobody does when another part of the exchange failed first.
    void Promise.allSettled([sent]);
    this.underWay.push(sent);
    if (reader.ending) return reader.ending;
    if (chunk.closed && this.givesWay) {
      await this.arrival();
      await this.rest(performance.now() - begun);
      return this.read(reader);
    }
    const [next] = await Promise.all([this.read(reader), this.arrival(chunk.closed ? CHUNKS_AHEAD : 0)]);
    return next;
  }

  /** Resolves when no more than `left` chunks are on their way. */
  private async arrival(left = 0): Promise<void> {
    while (this.underWay.length > left) await this.underWay.shift();
  }

  private async send(chunk: Chunk, before: Promise<void> | undefined): Promise<void> {
    const { link, quarantine, state, size, progressed } = this.parts;
    const begun = performance.now();
    const delivery = await link.deliver(chunk);
    await before;
    size.delivered(chunk.count, performance.now() - Math.max(begun, this.lastContact));
    progressed();
    if (delivery.refused + delivery.waiting + delivery.held > 0) await quarantine.noteDelivery(delivery);
    if (chunk.closed) this.acknowledge(chunk.through);
    state.deliver(chunk.count);
    this.tellUp();
  }

  private async wait(reader: JournalReader, reason: NothingToSend): Promise<Chunk | NothingToSend> {
    const { latch, state } = this.parts;
    await this.arrival();
    if (reason === 'end') {
      state.clock.moved();
      this.tellUp();
    }
    // A gap is filled as a rule by the time that others have gathered behind it.
    if (this.sinceContact() < 2 * GATHER_MS) await this.gather();
    await latch.wait(reason === 'gap' ? GAP_POLL_MS : POLL_MS, this.stop);
    latch.reset();
    if (this.sinceContact() > HEARTBEAT_MS) await this.heartbeat();
    return this.read(reader);
  }

  private read(reader: JournalReader): Promise<Chunk | NothingToSend> {
    const { size, pace } = this.parts;
    return reader.next(pace.entries(size.entries));
  }

  private get givesWay(): boolean {
    return this.parts.pace.givesWay(this.parts.size.entries);
  }

  private async rest(chunkMs: number): Promise<void> {
    await new WakeLatch().wait(this.parts.pace.rest(chunkMs), this.stop);
  }

  private async gather(): Promise<void> {
    await new WakeLatch().wait(GATHER_MS, this.stop);
  }

  private async heartbeat(): Promise<void> {
    await this.parts.quarantine.refresh();
    this.lastContact = performance.now();
  }

  private sinceContact(): number {
    return performance.now() - this.lastContact;
  }

  private acknowledge(seq: number): void {
    this.lastContact = performance.now();
    this.parts.peer.acknowledge(seq);
  }

  /** Only when something arrived, or nothing is left to send: a link that opens and then fails is not up. */
  private tellUp(): void {
    if (this.parts.state.become('up')) this.logger.log('Central is reached');
  }
}
