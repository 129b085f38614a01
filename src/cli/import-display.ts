import { SingleBar } from 'cli-progress';
import type { Finding } from '../imports/findings.js';
import type { Counts, ImportProgress } from '../imports/import-progress.js';

/** Between two lines of progress where there is no terminal. Milliseconds. */
const LINE_EVERY_MS = 5_000;
const BAR = '{bar} {percentage}% | {counts} | {rate} lines/s';

/** What the person, or the log, that runs an import sees of it. */
export class ImportDisplay {
  private readonly bar: SingleBar | undefined;
  private readonly startedAt = performance.now();
  private lastLineAt = performance.now();

  /** `names`: the files, in the order in which findings count them. */
  constructor(
    private readonly names: readonly string[],
    private readonly output: NodeJS.WriteStream,
    private readonly errors: NodeJS.WritableStream,
  ) {
    if (!output.isTTY) return;
    this.bar = new SingleBar({ format: BAR, hideCursor: true, stream: output, clearOnComplete: true });
    this.bar.start(1, 0, { counts: '', rate: 0 });
  }

  show({ counts, bytesRead, bytesTotal }: ImportProgress, findings: readonly Finding[]): void {
    for (const finding of findings) this.tell(finding);
    if (this.bar) {
      this.bar.setTotal(bytesTotal);
      this.bar.update(Math.min(bytesRead, bytesTotal), { counts: inWords(counts), rate: this.rate(counts) });
    } else if (performance.now() - this.lastLineAt >= LINE_EVERY_MS) {
      this.lastLineAt = performance.now();
      this.output.write(`${Math.floor((100 * bytesRead) / bytesTotal)} % · ${inWords(counts)}\n`);
    }
  }

  end(counts: Counts): void {
    this.bar?.stop();
    const seconds = this.seconds().toFixed(1);
    this.output.write(`${inWords(counts)} · ${seconds} s, ${this.rate(counts)} lines/s\n`);
  }

  fail(message: string): void {
    this.bar?.stop();
    this.errors.write(`${message}\n`);
  }

  private tell({ file, line, level, path, message }: Finding): void {
    const where = `${this.names[file - 1] ?? ''}:${line}`;
    this.errors.write(`${where}: ${level}: ${path === '' ? '' : `${path} `}${message}\n`);
  }

  private rate({ total }: Counts): number {
    return Math.round(total / this.seconds());
  }

  private seconds(): number {
    return Math.max(0.001, (performance.now() - this.startedAt) / 1000);
  }
}

function inWords({ total, created, updated, unchanged, skipped, failed }: Counts): string {
  const parts = { created, updated, unchanged, skipped, failed };
  return `${total} lines: ${Object.entries(parts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')}`;
}
