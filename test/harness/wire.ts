import { createConnection, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** `requests` go to the server, `answers` come from it. */
export type Direction = 'requests' | 'answers';

/** What holds for every wire of a proxy at this moment. */
export interface Conditions {
  /** How long `bytes` are under way, in milliseconds. */
  travelMs(bytes: number): number;
  /** Resolves when nothing holds this direction. */
  released(direction: Direction): Promise<void>;
  /** How many of `bytes` still pass before something happens: then the rest waits for {@link spent}. */
  allowed(direction: Direction, bytes: number): number;
  /** What was allowed has been handed on, and more was there. */
  spent(): void;
  /** What arrives in the place of `data` on `wire`. */
  rewritten(wire: Wire, direction: Direction, data: Buffer): Buffer;
}

/** One connection through the proxy: a socket on each side, and what is carried between them. */
export class Wire {
  private readonly far: Socket;
  private silent = false;
  private open = 2;

  constructor(
    private readonly near: Socket,
    target: { host: string; port: number },
    private readonly conditions: Conditions,
    private readonly onClosed: () => void,
  ) {
    this.far = createConnection({ ...target, noDelay: true });
    this.join(this.near, this.far, 'requests');
    this.join(this.far, this.near, 'answers');
  }

  /** Both ends see a reset. */
  reset(): void {
    this.near.resetAndDestroy();
    this.far.resetAndDestroy();
  }

  /**
   * As if every packet were lost from now on: both ends stay open, and neither hears of the other again, not
   * even that it has closed.
   */
  vanish(): void {
    this.silent = true;
  }

  private join(from: Socket, to: Socket, direction: Direction): void {
    from.on('data', (data) => {
      from.pause();
      void this.carry(data, to, direction).then(() => from.resume());
    });
    from.on('end', () => {
      void this.conditions.released(direction).then(() => this.silent || to.end());
    });
    // A reset on one side is one on the other. Without a listener it would end the process.
    from.on('error', () => {
      if (!this.silent) to.resetAndDestroy();
    });
    from.on('close', () => {
      this.open -= 1;
      if (this.open === 0) this.onClosed();
    });
  }

  private async carry(data: Buffer, to: Socket, direction: Direction): Promise<void> {
    const travel = this.conditions.travelMs(data.length);
    if (travel > 0) await pause(travel);
    let rest = data;
    while (rest.length > 0) {
      await this.conditions.released(direction);
      if (this.silent || !to.writable) return;
      const allowed = this.conditions.allowed(direction, rest.length);
      await this.hand(this.conditions.rewritten(this, direction, rest.subarray(0, allowed)), to);
      rest = rest.subarray(allowed);
      if (rest.length > 0) this.conditions.spent();
    }
  }

  private hand(data: Buffer, to: Socket): Promise<void> {
    return new Promise((resolve) => {
      to.write(data, () => {
        resolve();
      });
    });
  }
}
