/**
 * Decides when a gap in the journal's positions is dead, so that nobody can fill it any more.
 *
 * Whoever may still fill it had its transaction id before it drew the position, and drew it before the one
 * behind the gap was drawn. So its id is lower than any that is assigned after the gap has been seen: the
 * gap's `horizon`. Once every transaction below the horizon has ended and the gap is still there, it stays.
 *
 * The horizon is an id that is really assigned, by `pg_current_xact_id()`. A snapshot's `xmax` will not do: it
 * follows the latest transaction that has *ended*, and one that runs may have a higher id.
 */
export class GapWatch {
  private watched: { behind: number; horizon: number } | undefined;
  private dead = 0;

  /** Gaps up to this position will never be filled. */
  get deadThrough(): number {
    return this.dead;
  }

  /** Whether the gap before position `behind` has its horizon already. */
  watches(behind: number): boolean {
    return this.watched?.behind === behind;
  }

  /** Starts with a gap that was seen before `horizon` was assigned. */
  watch(behind: number, horizon: number): void {
    this.watched = { behind, horizon };
  }

  /**
   * Whether the watched gap is dead, given the oldest transaction that ran when it was last seen. Then the
   * journal can be read past it at once.
   */
  isDead(oldestRunning: number): boolean {
    if (!this.watched || oldestRunning < this.watched.horizon) return false;
    this.dead = this.watched.behind - 1;
    this.watched = undefined;
    return true;
  }
}
