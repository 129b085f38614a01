import type { DescribedChange, WriteOp } from './described-change.js';

/** A turn that a transaction, or a savepoint in it, is taking. */
export type Turn = 'start' | 'commit' | 'rollback';

/** What one transaction level (the transaction itself, or a savepoint in it) has been told so far. */
interface Level {
  readonly changes: DescribedChange[];
  /** Rows whose write was announced, and of which no statement has been sent yet. */
  readonly announced: Tally;
  /** Rows of statements that were sent, and of which no event has told how it ended. */
  readonly sent: Tally;
}

/**
 * What the events of one transaction have told, in memory until the outermost commit. A stack, because a
 * savepoint that rolls back takes its changes along.
 */
export class ChangeBuffer {
  /** Set from before the statement of a turn is sent until after it has been answered. */
  turn: Turn | undefined;
  private readonly levels: Level[] = [];

  get depth(): number {
    return this.levels.length;
  }

  /** Every change described so far, outermost level first, which is the order in which they were made. */
  get changes(): DescribedChange[] {
    return this.levels.flatMap((level) => level.changes);
  }

  /** A table that the innermost level has written without hearing how it ended. */
  get unsettled(): string | undefined {
    return this.top?.sent.anyTable;
  }

  begin(): void {
    this.levels.push({ changes: [], announced: new Tally(), sent: new Tally() });
  }

  /** A savepoint was released: what it did, and what is still open there, now belongs to what surrounds it. */
  release(): void {
    const released = this.levels.pop();
    if (!released || !this.top) return;
    this.top.changes.push(...released.changes);
    this.top.announced.addAll(released.announced);
    this.top.sent.addAll(released.sent);
  }

  rollback(): void {
    this.levels.pop();
  }

  announce(op: WriteOp, table: string): void {
    this.top?.announced.add(op, table, 1);
  }

  /** A statement is about to be sent. False when so many rows of the kind were not announced at this level. */
  send(op: WriteOp, table: string, rows: number): boolean {
    if (this.turn || !this.top?.announced.take(op, table, rows)) return false;
    this.top.sent.add(op, table, rows);
    return true;
  }

  /**
   * A write has happened. Without a level the transaction is over: TypeORM tells the siblings of a failed
   * `save([…])` after its rollback, and their rows are gone with it.
   */
  describe(change: DescribedChange, op: WriteOp): void {
    (this.settle(op, change.table) ?? this.top)?.changes.push(change);
  }

  /** The statement of a row has ended. Gives the level that it was sent at, if that is still there. */
  settle(op: WriteOp, table: string): Level | undefined {
    return this.levels.findLast((level) => level.sent.take(op, table, 1));
  }

  private get top(): Level | undefined {
    return this.levels.at(-1);
  }
}

/** Counts rows by table and kind of write. */
class Tally {
  private readonly counts = new Map<string, number>();

  get anyTable(): string | undefined {
    const [key] = this.counts.keys();
    return key?.slice(key.indexOf(' ') + 1);
  }

  add(op: WriteOp, table: string, rows: number): void {
    const key = `${op} ${table}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + rows);
  }

  addAll(other: Tally): void {
    for (const [key, rows] of other.counts) this.counts.set(key, (this.counts.get(key) ?? 0) + rows);
  }

  /** Counts them off; false, and nothing, when there are not so many. */
  take(op: WriteOp, table: string, rows: number): boolean {
    const key = `${op} ${table}`;
    const left = (this.counts.get(key) ?? 0) - rows;
    if (left < 0) return false;
    if (left === 0) this.counts.delete(key);
    else this.counts.set(key, left);
    return true;
  }
}
