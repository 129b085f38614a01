import type { DescribedChange } from './described-change.js';

/** What one transaction level (the transaction itself, or a savepoint in it) has described so far. */
interface Level {
  readonly changes: DescribedChange[];
  /** Writes that were announced and have not ended yet, per table. */
  readonly announced: Map<string, number>;
}

/**
 * The described changes of one transaction, in memory until the outermost commit. A stack, because a
 * savepoint that rolls back takes its changes along.
 */
export class ChangeBuffer {
  private readonly levels: Level[] = [];

  get depth(): number {
    return this.levels.length;
  }

  /** Every change described so far, outermost level first, which is the order in which they were made. */
  get changes(): DescribedChange[] {
    return this.levels.flatMap((level) => level.changes);
  }

  begin(): void {
    this.levels.push({ changes: [], announced: new Map() });
  }

  /** A savepoint was released: what it did now belongs to what surrounds it. */
  release(): void {
    const released = this.levels.pop();
    this.top?.changes.push(...(released?.changes ?? []));
  }

  rollback(): void {
    this.levels.pop();
  }

  announce(table: string): void {
    const announced = this.top?.announced;
    announced?.set(table, (announced.get(table) ?? 0) + 1);
  }

  isAnnounced(table: string): boolean {
    return (this.top?.announced.get(table) ?? 0) > 0;
  }

  /**
   * An announced write has happened. Without a level the transaction is over: TypeORM tells the
   * siblings of a failed `save([…])` after its rollback, and their rows are gone with it.
   */
  describe(change: DescribedChange): void {
    const level = this.top;
    if (!level) return;
    level.changes.push(change);
    this.settle(change.table);
  }

  /** An announced write has ended. */
  settle(table: string): void {
    const announced = this.top?.announced;
    announced?.set(table, Math.max(0, (announced.get(table) ?? 0) - 1));
  }

  private get top(): Level | undefined {
    return this.levels.at(-1);
  }
}
