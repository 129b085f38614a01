/**
 * Decides when a gap in the journal's positions is dead, so that nobody can fill it any more.
 *
 * Whoever draws a position from the sequence holds the sequence's lock until its transaction ends. So those
 * who held it when the gap had been seen are all who may still fill it. When they have ended, a page that is
 * read after that either has the entry, or will never have it. Transactions that have drawn nothing, however
 * long they run, are not waited for.
 */
export class GapWatch {
  private watched: { behind: number; holders: ReadonlySet<string> } | undefined;
  private dead = 0;

  /** Gaps up to this position will never be filled; holds for pages that are read from now on. */
  get deadThrough(): number {
    return this.dead;
  }

  /**
   * Takes note that the gap before `behind` was seen, and that `holders` hold the sequence after that. True
   * when it is dead.
   */
  look(behind: number, holders: readonly string[]): boolean {
    const now = new Set(holders);
    const before = this.watched?.behind === behind ? this.watched.holders : now;
    const left = new Set([...before].filter((holder) => now.has(holder)));
    this.watched = { behind, holders: left };
    if (left.size > 0) return false;
    this.dead = behind - 1;
    this.watched = undefined;
    return true;
  }
}
