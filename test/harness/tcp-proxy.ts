import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/**
 * A wire between the node and a database that can be cut, held, slowed or left half open.
 *
 * - `up`: carries everything.
 * - `down`: refuses new connections and resets the open ones.
 * - `hung`: accepts, and carries nothing in either direction: a server that never answers.
 */
export type WireState = 'up' | 'down' | 'hung';

interface Wire {
  readonly near: Socket;
  readonly far: Socket;
}

export class TcpProxy {
  private state: WireState = 'up';
  private delayMs = 0;
  private readonly wires = new Set<Wire>();
  private server: Server | undefined;
  private port = 0;

  private constructor(private readonly target: { host: string; port: number }) {}

  /** A proxy before the server of `databaseUrl`; `url` is the same database through it. */
  static async before(databaseUrl: string, state: WireState = 'up'): Promise<TcpProxy & { url: string }> {
    const target = new URL(databaseUrl);
    const proxy = new TcpProxy({ host: target.hostname, port: Number(target.port) });
    proxy.state = state;
    await proxy.listen();
    const through = new URL(databaseUrl);
    through.port = String(proxy.port);
    if (state === 'down') await proxy.stopListening();
    return Object.assign(proxy, { url: through.href });
  }

  async become(state: WireState): Promise<void> {
    this.state = state;
    if (state === 'down') {
      await this.stopListening();
      this.cut();
    } else {
      await this.listen();
      for (const { near, far } of this.wires) this.carry(near, far);
    }
  }

  /** Adds `ms` to every piece of data, in each direction. */
  delay(ms: number): void {
    this.delayMs = ms;
  }

  /** Resets the open connections; new ones are accepted again at once. */
  cut(): void {
    for (const { near, far } of this.wires) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
    this.wires.clear();
  }

  async close(): Promise<void> {
    await this.become('down');
  }

  private async listen(): Promise<void> {
    if (this.server) return;
    this.server = createServer((near) => {
      this.connect(near);
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as { port: number }).port;
  }

  private async stopListening(): Promise<void> {
    if (!this.server) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server = undefined;
    this.cut();
    await closed;
  }

  private connect(near: Socket): void {
    const far = createConnection(this.target);
    const wire = { near, far };
    this.wires.add(wire);
    const end = () => {
      near.destroy();
      far.destroy();
      this.wires.delete(wire);
    };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (data) => {
        this.forward(to, data);
      });
      from.on('close', end);
      from.on('error', end);
    }
    this.carry(near, far);
  }

  private carry(near: Socket, far: Socket): void {
    for (const socket of [near, far]) {
      if (this.state === 'hung') socket.pause();
      else socket.resume();
    }
  }

  private forward(to: Socket, data: Buffer): void {
    if (this.delayMs === 0) to.write(data);
    else setTimeout(() => to.writable && to.write(data), this.delayMs);
  }
}
