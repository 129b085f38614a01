import type { TrackedSockets } from './tracked-sockets.js';

/** Longest silence of a database that has only short questions to answer, in milliseconds. */
const SILENCE_MS = 10_000;
const LOOK_MS = 1_000;

/**
 * Ends sockets on which nothing is heard for long, as after a line broke without a word: whoever waits for an answer gets
 * an error. `work` that makes the database silent by itself, such as a migration, lifts the limit for as long as it runs.
 */
export class SilenceLimit {
  private lifted = 0;
  /** By the monotonic clock. */
  private heardAt = 0;
  private heardBytes = 0;

  constructor(private readonly sockets: TrackedSockets) {}

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.heardAt = performance.now();
    const looking = setInterval(() => {
      this.look();
    }, LOOK_MS);
    try {
      return await work();
    } finally {
      clearInterval(looking);
    }
  }

  async liftedFor<T>(work: () => Promise<T>): Promise<T> {
    this.lifted += 1;
    try {
      return await work();
    } finally {
      this.lifted -= 1;
      this.heardAt = performance.now();
    }
  }

  private look(): void {
    const { bytesRead } = this.sockets;
    if (this.lifted > 0 || bytesRead !== this.heardBytes) this.heardAt = performance.now();
    this.heardBytes = bytesRead;
    if (performance.now() - this.heardAt <= SILENCE_MS) return;
    this.sockets.destroyAll(new Error(`Nothing was heard for ${SILENCE_MS / 1000} s`));
  }
}
