/** Who works with a session, one after the other. When one has failed, so have all behind it. */
export class Turns {
  private latest: Promise<unknown> = Promise.resolve();
  private alone = 0;

  /** Whether somebody has the session alone, or waits for that. */
  get isReserved(): boolean {
    return this.alone > 0;
  }

  /** Runs `work` behind all who came before. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.latest.then(work);
    this.latest = done;
    return done;
  }

  /** The same, and nothing is to be sent ahead until it has ended. */
  async takeAlone<T>(work: () => Promise<T>): Promise<T> {
    this.alone += 1;
    try {
      return await this.take(work);
    } finally {
      this.alone -= 1;
    }
  }
}
