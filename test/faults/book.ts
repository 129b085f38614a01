/**
 * - `acknowledged`: the answer was yes, so it must be there, for good.
 * - `refused`: the answer was no, so it must not be anywhere.
 * - `unknown`: there was no answer, so it may be there or not; but whole, and the same everywhere.
 */
export type Outcome = 'acknowledged' | 'refused' | 'unknown';

export type Values = Readonly<Record<string, unknown>>;

/** One write of the workload, as whoever made it knows it. Every one is told apart from all others by its id. */
export interface Write {
  /** The id of its request; for what psql did, the value of `notes`. */
  readonly id: string;
  readonly region: string;
  readonly through: 'application' | 'database';
  /** Who is to stand in the journal. */
  readonly actor: string;
  readonly reason: string | null;
  readonly op: 'insert' | 'update' | 'remove';
  /** By column, what its records hold afterwards. */
  readonly sets: Values;
  /** The records that it changed. Empty for a create without an answer. */
  records: readonly string[];
  /** By the machine's clock, in milliseconds. */
  readonly begun: number;
  ended: number;
  outcome: Outcome;
}

/** What the workload did and what it was told: what must be true of the databases follows from this alone. */
export class Book {
  readonly writes: Write[] = [];
  /** Answers that no fault excuses. */
  readonly unexpected: string[] = [];
  /** How often somebody was told to come again. */
  toldToComeAgain = 0;
  private readonly living = new Map<string, Set<string>>();
  private count = 0;

  constructor(private readonly run: string) {}

  /** Of this run, and of no other write. */
  newId(): string {
    this.count += 1;
    return `${this.run}-${this.count}`;
  }

  note(write: Write): void {
    this.writes.push(write);
    const living = this.patientsOf(write.region);
    for (const record of write.records) {
      if (write.op === 'insert' && write.outcome === 'acknowledged') living.add(record);
      // What may be gone is no target any more.
      if (write.op === 'remove' && write.outcome !== 'refused') living.delete(record);
    }
  }

  /** Patients that are there, as far as is known. */
  patients(region: string): string[] {
    return [...this.patientsOf(region)];
  }

  /** How many writes ended so; of one region when it is named. */
  countOf(outcome: Outcome, region?: string): number {
    const counted = this.writes.filter((write) => region === undefined || write.region === region);
    return counted.filter((write) => write.outcome === outcome).length;
  }

  private patientsOf(region: string): Set<string> {
    const known = this.living.get(region) ?? new Set();
    this.living.set(region, known);
    return known;
  }
}
