/** What a node knows of what central has for it. */
export interface DownlinkFigures {
  /** Journal entries that wait at central; `null` while that is not known. */
  readonly pending: number | null;
  readonly oldestPendingAt: Date | null;
  /** When this node last applied something from central. */
  readonly lastAppliedAt: Date | null;
  /** Entries a second, over the last ten seconds. */
  readonly rate: number;
}

/** Seconds that the rate looks back. */
const RATE_WINDOW_S = 10;

/** What the downlink is doing, for status and metrics. Written by the downlink only. */
export class DownlinkState {
  private waiting: Pick<DownlinkFigures, 'pending' | 'oldestPendingAt'> = {
    pending: null,
    oldestPendingAt: null,
  };
  private appliedAt: Date | null = null;
  private readonly applied: { readonly at: number; readonly count: number }[] = [];

  get figures(): DownlinkFigures {
    const oldest = performance.now() - RATE_WINDOW_S * 1000;
    while (this.applied[0] && this.applied[0].at < oldest) this.applied.shift();
    const rate = this.applied.reduce((sum, { count }) => sum + count, 0) / RATE_WINDOW_S;
    return { ...this.waiting, lastAppliedAt: this.appliedAt, rate };
  }

  /** Central has said what waits there. */
  know(pending: number, oldestPendingAt: Date | null): void {
    this.waiting = { pending, oldestPendingAt };
  }

  /** Central is out of reach: what waits there is unknown. */
  forget(): void {
    this.waiting = { pending: null, oldestPendingAt: null };
  }

  apply(count: number): void {
    this.appliedAt = new Date();
    this.applied.push({ at: performance.now(), count });
  }
}
