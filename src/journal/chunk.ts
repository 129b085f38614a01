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
  /** The tables that its entries belong to. */
  readonly tables: readonly string[];
  /** The entries: a JSON array, built by the sender's database and opened by the receiver's. Never parsed between. */
  readonly entries: string;
  /** False when a change set goes on in the next chunk: the receiver must not commit in between. */
  readonly closed: boolean;
}

/** Where the receiver stands in the journal of `origin`. */
export interface Cursor {
  readonly origin: string;
  readonly incarnation: number;
  readonly seq: number;
}
