import type { EntityManager } from 'typeorm';
import { type Finding, findingsOf, FirstOfEachKind } from './findings.js';
import { ImportFinding } from './import-finding.entity.js';
import { ImportRun } from './import-run.entity.js';
import type { ReadBatch } from './lines-of-files.js';
import type { LineOutcome, Result } from './writing/line-outcome.js';

/** Lines by what became of them. `total` is their sum. */
export type Counts = Record<Result | 'total', number>;

/** A file of a million bad lines is told about with the first of them. */
export const MOST_FINDINGS = 10_000;

/** What an import has done so far. It is written with each batch, in its transaction, so that it is never ahead. */
export class ImportProgress {
  readonly counts: Counts = { total: 0, created: 0, updated: 0, unchanged: 0, skipped: 0, failed: 0 };
  bytesRead = 0;
  bytesTotal = 0;
  private position = 0;
  private readonly first = new FirstOfEachKind();

  constructor(readonly importId: string) {}

  /** The files are read so far with the batch that is stored next. */
  reach({ bytesRead, bytesTotal }: Pick<ReadBatch, 'bytesRead' | 'bytesTotal'>): void {
    this.bytesRead = bytesRead;
    this.bytesTotal = bytesTotal;
  }

  /** Stores what a batch adds. Call {@link add} with the same when the transaction has committed. */
  async store(manager: EntityManager, batch: BatchReport): Promise<void> {
    const counts = summed(this.counts, batch.counts);
    const { bytesRead, bytesTotal } = this;
    await manager.update(
      ImportRun,
      { id: this.importId },
      { ...counts, bytesRead, bytesTotal, progressAt: new Date() },
    );
    const findings = batch.findings.slice(0, MOST_FINDINGS - this.position);
    const rows = findings.map((finding, index) => ({
      importId: this.importId,
      position: this.position + index + 1,
      ...finding,
    }));
    if (rows.length > 0) await manager.insert(ImportFinding, rows);
  }

  add(batch: BatchReport): void {
    Object.assign(this.counts, summed(this.counts, batch.counts));
    this.position += batch.findings.length;
    for (const finding of batch.findings) this.first.remember(finding);
  }

  report(outcomes: readonly LineOutcome[]): BatchReport {
    const counts: Counts = {
      total: outcomes.length,
      created: 0,
      updated: 0,
      unchanged: 0,
      skipped: 0,
      failed: 0,
    };
    for (const { result } of outcomes) counts[result] += 1;
    return { counts, findings: this.first.of(outcomes.flatMap(findingsOf)) };
  }
}

export interface BatchReport {
  readonly counts: Counts;
  readonly findings: readonly Finding[];
}

function summed(a: Counts, b: Counts): Counts {
  const sums = Object.entries(a).map(([name, count]) => [name, count + b[name as keyof Counts]]);
  return Object.fromEntries(sums) as Counts;
}
