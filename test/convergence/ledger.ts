import type { Row } from './values.js';

/** What one committed transaction did to one patient, as it was seen there: the row under its lock, before and after. */
export interface Write {
  /** Writes with the same number were one transaction. */
  readonly transaction: number;
  readonly node: string;
  readonly patientId: string;
  /**
   * When it was seen, by the monotonic clock: under the row's lock, so that the writes of a row at a node have their true
   * order by it. Two commits may well be answered in another.
   */
  readonly moment: number;
  /** `undefined`: it was not there. */
  readonly before: Row | undefined;
  readonly after: Row | undefined;
}

/** What a transaction that is still open sees of its change. */
export type Seen = Omit<Write, 'transaction' | 'node'>;

/** Call it before the transaction ends, with what was read under the row's lock. */
export function seen(patientId: string, before: Row | undefined, after: Row | undefined): Seen {
  return { patientId, before, after, moment: performance.now() };
}

/**
 * Everything that people did in a run, and what they saw when they did it: all that the judgement rests on. The product
 * is not asked.
 */
export class Ledger {
  readonly writes: Write[] = [];
  /** The regions that hold each patient: where they were registered, and who was given a copy. */
  readonly hosts = new Map<string, Set<string>>();
  private transactions = 0;

  get patients(): string[] {
    return [...this.hosts.keys()];
  }

  /** Notes a transaction that has committed. */
  note(node: string, changes: readonly Seen[]): void {
    this.transactions += 1;
    for (const change of changes) {
      this.writes.push({ transaction: this.transactions, node, ...change });
      if (!this.hosts.has(change.patientId)) this.hosts.set(change.patientId, new Set([node]));
    }
  }

  noteCopy(patientId: string, region: string): void {
    this.hosts.get(patientId)!.add(region);
  }

  writesOf(patientId: string): Write[] {
    return this.writes
      .filter((write) => write.patientId === patientId)
      .toSorted((one, other) => one.moment - other.moment);
  }
}
