import { EventEmitter, once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { freePort } from '../../src/databases/embedded/free-port.js';
import { type Conditions, type Direction, Wire } from './wire.js';

/**
 * A wire between the node and a database that can be cut, held, slowed or left half open.
 *
 * - `up`: carries everything.
 * - `down`: refuses new connections and resets the open ones.
 * - `hung`: accepts, and carries nothing in either direction: a server that never answers.
 * - `requests held`, `answers held`: carries the other direction only. With its answers held, the server does
 *   what it is asked, and nobody hears of it.
 *
 * What was held is carried when the wire is `up` again.
 */
export type WireState = 'up' | 'down' | 'hung' | 'requests held' | 'answers held';

const HELD: Record<WireState, readonly Direction[]> = {
  up: [],
  down: [],
  hung: ['requests', 'answers'],
  'requests held': ['requests'],
  'answers held': ['answers'],
};

/** A lost packet shows as a stall, since TCP sends it again. */
export interface LinkQuality {
  /** In each direction. */
  readonly latencyMs?: number;
  readonly bytesPerSecond?: number;
  /** Chance, for each piece of data, that it arrives `stallMs` later. */
  readonly stallChance?: number;
  readonly stallMs?: number;
  /** Where the chance comes from. */
  readonly random?: () => number;
}

/** What to do when a text passes. */
interface Watched {
  readonly direction: Direction;
  /** Only on a connection that has said this, … */
  readonly before: Buffer;
  /** … as these have. */
  readonly saidBefore: WeakSet<Wire>;
  readonly text: Buffer;
  readonly then: (data: Buffer, at: number) => void;
}

export class TcpProxy implements Conditions {
  /** The database through the proxy. */
  readonly url: string;
  private state: WireState = 'up';
  private quality: LinkQuality = {};
  private budget = Infinity;
  private whenSpent: () => void = () => undefined;
  private watched: Watched | undefined;
  private readonly wires = new Set<Wire>();
  private readonly changes = new EventEmitter().setMaxListeners(0);
  private server: Server | undefined;

  private constructor(
    private readonly target: { host: string; port: number },
    private readonly port: number,
    url: URL,
  ) {
    url.port = String(port);
    this.url = url.href;
  }

  /** A proxy before the server of `databaseUrl`. */
  static async before(databaseUrl: string, state: WireState = 'up'): Promise<TcpProxy> {
    const { hostname, port } = new URL(databaseUrl);
    const target = { host: hostname, port: Number(port) };
    const proxy = new TcpProxy(target, await freePort(), new URL(databaseUrl));
    await proxy.become(state);
    return proxy;
  }

  async become(state: WireState): Promise<void> {
    this.state = state;
    if (state === 'down') await this.stopListening();
    else await this.listen();
    this.changes.emit('changed');
  }

  /** Adds `ms` to every piece of data, in each direction. */
  delay(ms: number): void {
    this.degrade({ latencyMs: ms });
  }

  /** How good the link is from now on; `{}` is perfect. */
  degrade(quality: LinkQuality): void {
    this.quality = quality;
  }

  /** Resets the open connections; new ones are accepted again at once. */
  cut(): void {
    this.budget = Infinity;
    for (const wire of this.wires) wire.reset();
    this.wires.clear();
  }

  /** Cuts when `bytes` more have gone to the server: in the middle of a statement or of a batch. */
  cutAfter(bytes: number): void {
    this.allow(bytes, () => {
      this.cut();
    });
  }

  /** Holds requests when `bytes` more have gone to the server. */
  holdAfter(bytes: number): void {
    this.allow(bytes, () => {
      this.state = 'requests held';
    });
  }

  private allow(bytes: number, whenSpent: () => void): void {
    this.budget = bytes;
    this.whenSpent = () => {
      this.budget = Infinity;
      whenSpent();
    };
  }

  /** The open connections go half open: neither side hears of the other again. New ones work. */
  vanish(): void {
    for (const wire of this.wires) wire.vanish();
  }

  /**
   * The next time that `text` goes to the server, on a connection that has said `before` since now if that is given, it
   * arrives, and no answer to it.
   */
  holdAnswersTo(text: string, before = ''): void {
    const hold = () => {
      this.state = 'answers held';
    };
    this.watch('requests', { before, text, then: hold });
  }

  /** The next time that `from` passes, `to`, which is as long, arrives: bytes that were damaged on their way. */
  damage(from: string, to: string, direction: Direction = 'requests'): void {
    const damage = (data: Buffer, at: number) => Buffer.from(to).copy(data, at);
    this.watch(direction, { text: from, then: damage });
  }

  private watch(
    direction: Direction,
    { before = '', text, then }: { before?: string; text: string; then: Watched['then'] },
  ): void {
    const bytes = { before: Buffer.from(before), text: Buffer.from(text) };
    this.watched = { direction, saidBefore: new WeakSet(), then, ...bytes };
  }

  /** Whether what {@link damage} waits for has come by. */
  get hasDamaged(): boolean {
    return this.watched === undefined;
  }

  /** Whether it carries less than everything. */
  get isHolding(): boolean {
    return HELD[this.state].length > 0;
  }

  async close(): Promise<void> {
    await this.become('down');
  }

  travelMs(bytes: number): number {
    const { latencyMs = 0, bytesPerSecond = Infinity, stallChance = 0, stallMs = 0 } = this.quality;
    const { random = Math.random } = this.quality;
    return latencyMs + (bytes / bytesPerSecond) * 1000 + (random() < stallChance ? stallMs : 0);
  }

  async released(direction: Direction): Promise<void> {
    while (HELD[this.state].includes(direction)) await once(this.changes, 'changed');
  }

  allowed(direction: Direction, bytes: number): number {
    if (direction === 'answers') return bytes;
    const allowed = Math.min(bytes, this.budget);
    this.budget -= allowed;
    return allowed;
  }

  spent(): void {
    this.whenSpent();
  }

  rewritten(wire: Wire, direction: Direction, data: Buffer): Buffer {
    if (direction !== this.watched?.direction) return data;
    const { before, saidBefore, text, then } = this.watched;
    if (data.includes(before)) saidBefore.add(wire);
    const at = saidBefore.has(wire) ? data.indexOf(text) : -1;
    if (at < 0) return data;
    const changed = Buffer.from(data);
    then(changed, at);
    this.watched = undefined;
    return changed;
  }

  private async listen(): Promise<void> {
    if (this.server) return;
    // As PostgreSQL and its driver do: else a packet waits up to 40 ms for the receipt of the one before.
    this.server = createServer({ noDelay: true }, (near) => {
      const wire: Wire = new Wire(near, this.target, this, () => this.wires.delete(wire));
      this.wires.add(wire);
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  private async stopListening(): Promise<void> {
    if (!this.server) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server = undefined;
    this.cut();
    await closed;
  }
}
