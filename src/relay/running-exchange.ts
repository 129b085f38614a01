/** An exchange that is under way: it can be asked to end, or given up whatever it waits for. */
export class RunningExchange {
  private readonly ending = new AbortController();
  private giveUp!: (reason: Error) => void;
  private readonly givenUp = new Promise<never>((_, reject) => {
    this.giveUp = reject;
  });

  /** Ends in order, after the chunk that is under way. */
  end(): void {
    this.ending.abort();
  }

  /** Ends now: `outcome` rejects with `reason`. Close the exchange's sessions then. */
  cut(reason: Error): void {
    this.ending.abort();
    this.giveUp(reason);
  }

  /** What `work` comes to, unless it is cut. */
  outcome(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    return Promise.race([work(this.ending.signal), this.givenUp]);
  }
}
