import type { EntryColumn } from './entry-columns.js';

/** A column of entries: a PostgreSQL array in its binary form. `null`: no entries. */
export type EntryArrays = Readonly<Record<EntryColumn, Buffer | null>>;

/** A stretch of one node's journal on its way to the other side. */
export interface Chunk {
  readonly origin: string;
  readonly incarnation: number;
  /** Holds what comes after this position of the origin's journal … */
  readonly after: number;
  /** … up to and including this one. */
  readonly through: number;
  /** How many entries it carries. */
  readonly count: number;
  /** The tables that its entries belong to, each with the newest version of its shape among them. */
  readonly tables: Readonly<Record<string, number>>;
  /**
   * The entries, column by column: each a PostgreSQL array in its binary form, built by the sender's database
   * and opened by the receiver's. Node only carries the bytes. Opening one JSON array of objects in place of
   * them took twice as long, and the arrays' text form a third more, mostly for the quotes in the rows.
   */
  readonly entries: EntryArrays;
  /** Of all this, by the sender's database (`digestOf`). The receiver's refuses a chunk that differs from it. */
  readonly digest: string;
  /** False when a change set goes on in the next chunk: the receiver must not commit in between. */
  readonly closed: boolean;
  /** The change sets that go on in the next chunk, as `incarnation.changeSet`. Empty when it is closed. */
  readonly openSets: readonly string[];
}

/** Where the receiver stands in the journal of `origin`. */
export interface Cursor {
  readonly origin: string;
  readonly incarnation: number;
  readonly seq: number;
  /** What the last entry was that it has covered (`journal_witness`); `null` before the first. */
  readonly witness: string | null;
}
