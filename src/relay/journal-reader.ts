import type { ClientBase } from 'pg';
import type { Chunk, Cursor } from '../journal/chunk.js';
import { GapWatch } from './gap-watch.js';
import { nextTransactionId, readPage, type JournalPage } from './read-page.js';

/** Nothing to send: the journal ends here, or goes on behind a gap that a running transaction may fill. */
export type NothingToSend = 'end' | 'gap';

/** Walks one journal from a cursor on, a chunk at a time. Holds no more than one chunk in memory. */
export class JournalReader {
  private readonly gaps = new GapWatch();
  private openSets: Readonly<Record<string, number>> = {};
  private position: number;
  private lastPageWasFull = false;

  constructor(
    private readonly client: ClientBase,
    private readonly cursor: Omit<Cursor, 'witness'>,
    private readonly chunkSize: number,
  ) {
    this.position = cursor.seq;
  }

  /** Whether the last page ended because it was full: more is there to read. */
  get hasMore(): boolean {
    return this.lastPageWasFull;
  }

  async next(): Promise<Chunk | NothingToSend> {
    for (;;) {
      const page = await readPage(this.client, {
        after: this.position,
        limit: this.chunkSize,
        deadThrough: this.gaps.deadThrough,
        openSets: this.openSets,
      });
      this.lastPageWasFull = page.scanned === this.chunkSize;
      const through = this.lastToCarry(page);
      if (through !== null) return this.chunk(page, through);
      if (page.behindGap === null) return 'end';
      if (!(await this.isDead(page.behindGap, page.oldestRunning))) return 'gap';
    }
  }

  private async isDead(behind: number, oldestRunning: number): Promise<boolean> {
    if (!this.gaps.watches(behind)) this.gaps.watch(behind, await nextTransactionId(this.client));
    return this.gaps.isDead(oldestRunning);
  }

  /**
   * Where this page may be cut. Without a border, a full page belongs to a change set that is larger than a
   * page, or goes on with one: it is carried whole, and stays open.
   */
  private lastToCarry({ border, readable, scanned }: JournalPage): number | null {
    if (border !== null) return border;
    const goesOn = Object.keys(this.openSets).length > 0 || scanned === this.chunkSize;
    return goesOn ? readable : null;
  }

  private chunk(page: JournalPage, through: number): Chunk {
    const { origin, incarnation } = this.cursor;
    const { count, tables, entries } = page;
    const closed = page.border !== null;
    const after = this.position;
    this.position = through;
    this.openSets = closed ? {} : page.openSets;
    const openSets = Object.keys(this.openSets);
    return { origin, incarnation, after, through, count, tables, entries, closed, openSets };
  }
}
