import { ChunkCorruptError } from '../apply/apply-chunk.js';
import { codeOf } from '../apply/failure.js';
import { StallClock } from './stall-clock.js';

/**
 * `connecting`: not reached yet, since the start or since a pause ended. `standby`: another process sends for this
 * region.
 */
export type LinkStatus = 'connecting' | 'up' | 'down' | 'standby';

export interface LinkError {
  /** SQLSTATE, Node's error code, or the name of MedLink's own error. */
  readonly code: string;
  readonly message: string;
  readonly at: Date;
}

/** Seconds that the rate looks back. */
const RATE_WINDOW_S = 10;

/** What the uplink is doing, for status, metrics and alerts. Written by the uplink only. */
export class UplinkState {
  /** For how long nothing has moved that should. */
  readonly clock = new StallClock();
  private currentStatus: LinkStatus = 'connecting';
  private statusSince = new Date();
  /** The same by the monotonic clock. */
  private statusFrom = performance.now();
  private error: LinkError | undefined;
  private damagedChunks = 0;
  private readonly delivered: { at: number; count: number }[] = [];

  get status(): LinkStatus {
    return this.currentStatus;
  }

  get since(): Date {
    return this.statusSince;
  }

  /** The last error, kept after recovery: the status alone says whether it is over. */
  get lastError(): LinkError | undefined {
    return this.error;
  }

  /** How often in a row a chunk has arrived damaged. */
  get damaged(): number {
    return this.damagedChunks;
  }

  /** Entries a second, over the last ten seconds; over fewer when the link has only just come up. */
  get rate(): number {
    this.forgetOld();
    const seconds = Math.max(1, Math.min(RATE_WINDOW_S, (performance.now() - this.statusFrom) / 1000));
    return this.delivered.reduce((sum, { count }) => sum + count, 0) / seconds;
  }

  /** True when the status is new. */
  become(status: LinkStatus): boolean {
    if (this.currentStatus === status) return false;
    this.currentStatus = status;
    this.statusSince = new Date();
    this.statusFrom = performance.now();
    return true;
  }

  fail(error: unknown): LinkError {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof ChunkCorruptError) this.damagedChunks += 1;
    this.error = { code: codeOf(error), message, at: new Date() };
    return this.error;
  }

  deliver(count: number): void {
    this.clock.moved();
    this.damagedChunks = 0;
    this.delivered.push({ at: performance.now(), count });
    this.forgetOld();
  }

  private forgetOld(): void {
    const oldest = performance.now() - RATE_WINDOW_S * 1000;
    while (this.delivered[0] && this.delivered[0].at < oldest) this.delivered.shift();
  }
}
