import type { ClientBase } from 'pg';
import { ReusedBytes } from '../databases/reused-bytes.js';
import type { Chunk, Cursor } from '../journal/chunk.js';
import { GapWatch } from './gap-watch.js';
import { askForPage, type AskForPage, copyPage } from './page-statement.js';
import { readPlainPage } from './plain-page.js';
import { positionHolders, readPage, type JournalPage } from './read-page.js';

/** Nothing to send: the journal ends here, or goes on behind a gap that a running transaction may fill. */
export type NothingToSend = 'end' | 'gap';

/** Walks one journal from a cursor on, a chunk at a time. Chunks that it is not told to be `done` with stay as they are. */
export class JournalReader {
  private readonly gaps = new GapWatch();
  private openSets: Readonly<Record<string, number>> = {};
  private position: number;
  private lastPageWasFull = false;
  private endsAtGap = false;
  /** Whether the next page may well be plain. */
  private plainly = true;
  /** For the next page. */
  private memory = new ReusedBytes();
  private readonly memories = new WeakMap<Chunk, ReusedBytes>();
  private readonly spare: ReusedBytes[] = [];

  constructor(
    private readonly client: ClientBase,
    private readonly cursor: Omit<Cursor, 'witness'>,
  ) {
    this.position = cursor.seq;
  }

  /** Why nothing more is to be expected behind the last page just now; `undefined` when it was full, so that there is. */
  get ending(): NothingToSend | undefined {
    if (this.lastPageWasFull) return undefined;
    return this.endsAtGap ? 'gap' : 'end';
  }

  /** The next chunk, of about `limit` entries. */
  async next(limit: number): Promise<Chunk | NothingToSend> {
    for (;;) {
      const page = await this.page(limit);
      this.lastPageWasFull = page.scanned === limit;
      this.endsAtGap = page.behindGap !== null;
      const through = this.lastToCarry(page, limit);
      if (through !== null) return this.chunk(page, through);
      if (page.behindGap === null) return 'end';
      if (!this.gaps.look(page.behindGap, await positionHolders(this.client))) return 'gap';
    }
  }

  /** Nobody needs the chunk's entries any more: the memory that they are in is used for another. */
  done(chunk: Chunk): void {
    const memory = this.memories.get(chunk);
    if (memory) this.spare.push(memory);
    this.memories.delete(chunk);
  }

  /** Where one full page is not plain (an import, say), the next is not likely to be, and to try twice costs twice. */
  private async page(limit: number): Promise<JournalPage> {
    const mayBePlain = this.plainly && Object.keys(this.openSets).length === 0;
    const plain = mayBePlain ? await readPlainPage(this.ask, this.position, limit) : undefined;
    if (plain) return plain;
    const page = await readPage(this.ask, {
      after: this.position,
      limit,
      deadThrough: this.gaps.deadThrough,
      openSets: this.openSets,
    });
    this.plainly = page.scanned < limit || page.plain;
    return page;
  }

  /** In a backlog, pages are full. */
  private readonly ask: AskForPage = (statement) =>
    this.lastPageWasFull ? copyPage(this.client, statement, this.memory) : askForPage(this.client, statement);

  /**
   * Where this page may be cut. Without a border, a full page belongs to a change set that is larger than a
   * page, or goes on with one: it is carried whole, and stays open.
   */
  private lastToCarry({ border, readable, scanned }: JournalPage, limit: number): number | null {
    if (border !== null) return border;
    const goesOn = Object.keys(this.openSets).length > 0 || scanned === limit;
    return goesOn ? readable : null;
  }

  private chunk(page: JournalPage, through: number): Chunk {
    const { origin, incarnation } = this.cursor;
    const { count, tables, entries, digest } = page;
    const closed = page.border !== null;
    const after = this.position;
    this.position = through;
    this.openSets = closed ? {} : page.openSets;
    const openSets = Object.keys(this.openSets);
    const chunk = { origin, incarnation, after, through, count, tables, entries, digest, closed, openSets };
    this.memories.set(chunk, this.memory);
    this.memory = this.spare.pop() ?? new ReusedBytes();
    return chunk;
  }
}
