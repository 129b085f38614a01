/**
 * How long an exchange that should move has not moved. It counts the looks at it, each for no more than
 * `longestLookMs` of the monotonic clock: a process that was stopped for minutes has not waited for them.
 */
export class StallClock {
  private idleMs = 0;
  private counting = true;
  private lookedAt: number;

  constructor(private readonly now: () => number = () => performance.now()) {
    this.lookedAt = now();
  }

  /** Something arrived, or nothing is left to send. */
  moved(): void {
    this.counting = true;
    this.idleMs = 0;
  }

  /** Central answers: from now on, something should move. */
  reached(): void {
    this.counting = true;
  }

  /** Nothing is to move: the exchange is paused, stands by, or central cannot be reached. */
  rest(): void {
    this.counting = false;
    this.idleMs = 0;
  }

  /** Milliseconds without movement. Call it regularly. */
  look(longestLookMs: number): number {
    const now = this.now();
    if (this.counting) this.idleMs += Math.min(now - this.lookedAt, longestLookMs);
    this.lookedAt = now;
    return this.idleMs;
  }
}
