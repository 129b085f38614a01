/** A gap as one look at the journal saw it. */
export interface SeenGap {
  /** First position behind the gap. */
  readonly behind: number;
  /** Every transaction older than this had ended. */
  readonly oldestRunning: number;
  /** No transaction from this one on had begun. */
  readonly horizon: number;
}

/**
 * Decides when a gap in the journal's positions is dead. Whoever may still fill it drew the position
 * before the one behind it was seen, so it was running then, or had ended. Once every transaction that was
 * running when the gap was first seen has ended and the gap is still there, nobody can fill it.
 */
export class GapWatch {
  private watched: { behind: number; horizon: number } | undefined;
  private dead = 0;

  /** Gaps up to this position will never be filled. */
  get deadThrough(): number {
    return this.dead;
  }

  /** True when the gap is dead, so that the journal can be read past it at once. */
  isDead(gap: SeenGap): boolean {
    if (this.watched?.behind !== gap.behind) this.watched = { behind: gap.behind, horizon: gap.horizon };
    if (gap.oldestRunning < this.watched.horizon) return false;
    this.dead = gap.behind - 1;
    this.watched = undefined;
    return true;
  }
}
