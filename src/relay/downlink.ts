import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { codeOf } from '../apply/failure.js';
import { receivingTables } from '../apply/receiving-tables.js';
import { Config } from '../config/config.js';
import { CentralConnection } from '../databases/central-connection.js';
import { openClient, type OwnClient } from '../databases/own-client.js';
import { replicatedTables } from '../journal/replicated-tables.js';
import { DataRouter } from '../routing/data-router.js';
import { Backoff } from './backoff.js';
import { DownlinkState } from './downlink-state.js';
import { PeerRecord } from './peer-record.js';
import { Reception } from './reception.js';
import { Uplink } from './uplink.js';
import { WakeLatch } from './wake-latch.js';

/** Longest silence of either database, in milliseconds. */
const ANSWER_MS = 10_000;
/** How often a downlink that rests looks whether it may go on. Milliseconds. */
const REST_POLL_MS = 250;

/**
 * What a session that vanished has left behind ends by itself, at central and here: an open transaction would hold
 * back every later attempt.
 */
const LIMITS = `
  SET statement_timeout = '9s';
  SET lock_timeout = '5s';
  SET idle_in_transaction_session_timeout = '15s'`;

/**
 * Brings this region what other nodes have changed in the files that it hosts, for as long as the node runs. It works
 * while the uplink does: the process that sends for a region is the one that receives for it, and only with central
 * in reach.
 */
@Injectable()
export class Downlink implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly state = new DownlinkState();
  private readonly logger = new Logger(Downlink.name);
  private readonly stopping = new AbortController();
  private readonly backoff = new Backoff();
  private sessions: OwnClient[] = [];
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly config: Config,
    private readonly router: DataRouter,
    private readonly central: CentralConnection,
    private readonly uplink: Uplink,
    private readonly peer: PeerRecord,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    // A delivery is applied whole or not at all: cutting it is safe.
    this.cut();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        if (this.mayReceive()) await this.receive();
        else await this.rest();
      } catch (error) {
        if (signal.aborted) return;
        this.logger.warn(
          `What central has for this region was not received (${codeOf(error)}): ${String(error)}`,
        );
        this.state.forget();
        await new WakeLatch().wait(this.backoff.next(), signal);
      }
    }
  }

  private mayReceive(): boolean {
    return this.uplink.state.status === 'up' && !this.peer.paused;
  }

  private async rest(): Promise<void> {
    this.state.forget();
    await new WakeLatch().wait(REST_POLL_MS, this.stopping.signal);
  }

  private async receive(): Promise<void> {
    const source = await this.central.whenOpen(this.stopping.signal);
    try {
      const home = await this.open(() => openClient(this.router.home, ANSWER_MS));
      const central = await this.open(() => openClient(source, ANSWER_MS));
      const parts = {
        region: this.config.region,
        tables: await receivingTables(home.client, replicatedTables(this.router.home)),
        state: this.state,
        mayGoOn: () => this.mayReceive(),
        progressed: () => this.backoff.reset(),
      };
      await new Reception(home.client, central.client, parts, this.stopping.signal).run();
    } finally {
      this.cut();
    }
  }

  private async open(session: () => Promise<OwnClient>): Promise<OwnClient> {
    const own = await session();
    this.sessions.push(own);
    if (this.stopping.signal.aborted) this.cut();
    await own.client.query(LIMITS);
    return own;
  }

  private cut(): void {
    for (const { close } of this.sessions) close();
    this.sessions = [];
  }
}
