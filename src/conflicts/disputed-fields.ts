/** One side's value, as JSON has it, and where it comes from. */
export interface DisputedSide {
  readonly value: unknown;
  /** Id of the account, or the database user. */
  readonly actor: string;
  readonly actorName: string | null;
  readonly role: string | null;
  /** ISO 8601, by the clock of the node's database. */
  readonly at: string;
  /** A region's code, or `central`. */
  readonly node: string;
}

export interface DisputedField {
  /** What both sides had before, as JSON has it. */
  readonly base: unknown;
  readonly regional: DisputedSide;
  readonly central: DisputedSide;
  /** The side whose value is in force; `both` when they fitted together. */
  readonly kept: 'regional' | 'central' | 'both';
}

/** By column of the table. Columns of one group are all there. */
export type DisputedFields = Readonly<Record<string, DisputedField>>;

/** What was decided, by column: a side's value, or another one. */
export type Decisions = Readonly<Record<string, { take: 'regional' | 'central' } | { value: unknown }>>;
