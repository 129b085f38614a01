/** So many chunks at most are taken up without another try. */
const LONGEST = 8;

/**
 * Where chunks touch shared patients, most of them do. To try each at once would carry it twice, and cost central a twelfth
 * more: behind one that was tried in vain, the next is not tried, then the next two, and so on.
 */
export class SharedStreak {
  private length = 0;
  private left = 0;

  /** Whether the next chunk is not to be tried at once. */
  get goesOn(): boolean {
    return this.left > 0;
  }

  untried(): void {
    this.left -= 1;
  }

  tried(wasShared: boolean): void {
    this.length = wasShared ? Math.min(LONGEST, Math.max(1, this.length * 2)) : 0;
    this.left = this.length;
  }
}
