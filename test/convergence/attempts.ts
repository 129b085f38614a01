import { codeOf } from '../../src/apply/failure.js';
import { isWaitedOut, type StepOutcome } from './links.js';

/** What was tried in a run, and how often it came to what. */
export class Attempts {
  readonly counts: Record<string, number> = {};
  private readonly busy = new Set<unknown>();

  /** Somebody who is refused, or in whose way somebody else is, gives up. */
  async one(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.count(what, 'moved');
    } catch (error) {
      if (!isWaitedOut(error) && codeOf(error) !== '23505') throw error;
      this.count(what, 'failed');
    }
  }

  /** What one session or link does, it does one after the other; whoever comes meanwhile goes away. */
  async alone(what: unknown, work: () => Promise<void>): Promise<void> {
    if (this.busy.has(what)) return;
    this.busy.add(what);
    try {
      await work();
    } finally {
      this.busy.delete(what);
    }
  }

  count(what: string, outcome: StepOutcome): void {
    const key = `${what} ${outcome}`;
    this.counts[key] = (this.counts[key] ?? 0) + 1;
  }
}
