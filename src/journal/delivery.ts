import { ENTRY_COLUMN_NAMES, ENTRY_COLUMNS, type EntryColumn } from './entry-columns.js';

/** A journal entry on its way down: every column as PostgreSQL's text, so that nothing is lost on the way. */
export type DeliveredEntry = Readonly<Record<EntryColumn, string | null>> & {
  /** Position in central's journal. */
  readonly seq: string;
  readonly origin: string;
};

/** A row as central has it, as JSON text. */
export interface CopiedRow {
  readonly table: string;
  readonly id: string;
  readonly row: string;
}

/** What a region is given when it becomes a host: the whole file, and how it came to be so. */
export interface Copy {
  /** The entry that made the region a host. */
  readonly seq: number;
  /** `null`: the records that belong to everyone, for a region that is new. */
  readonly patientId: string | null;
  readonly rows: readonly CopiedRow[];
  /** What had happened before, oldest first. */
  readonly history: readonly DeliveredEntry[];
}

/** A stretch of central's journal, as far as one region is concerned, read in one snapshot. */
export interface Delivery {
  readonly incarnation: number;
  /** Holds what comes after this position of central's journal … */
  readonly after: number;
  /** … up to and including this one. No change set goes on behind it. */
  readonly through: number;
  /** How much of the region's own journal was part of central's state in that snapshot. */
  readonly incorporated: number;
  /**
   * By patient, from where on the region's own journal is in central's only behind `through`: what is delivered here
   * came before that, and goes under it.
   */
  readonly overtaken: Readonly<Record<string, number>>;
  readonly entries: readonly DeliveredEntry[];
  readonly copies: readonly Copy[];
}

/** The columns of a {@link DeliveredEntry}, for a SELECT FROM journal. */
export const DELIVERED_COLUMNS = `seq::text AS seq, origin, ${ENTRY_COLUMN_NAMES.map((column) => `${column}::text AS ${column}`).join(', ')}`;

/**
 * Entries as rows again, in their order: for `FROM unnest(…) WITH ORDINALITY AS entry(origin, …, nth)`. Its parameters
 * begin at `first`; see {@link deliveredValues}.
 */
export function openedDelivery(first: number): string {
  const parameters = ENTRY_COLUMN_NAMES.map(
    (column, index) => `$${String(first + 1 + index)}::text[]::${ENTRY_COLUMNS[column]}[]`,
  );
  return `unnest($${String(first)}::text[], ${parameters.join(', ')}) WITH ORDINALITY
          AS entry(origin, ${ENTRY_COLUMN_NAMES.join(', ')}, nth)`;
}

/** The parameters of {@link openedDelivery}: a column each. */
export function deliveredValues(entries: readonly DeliveredEntry[]): (string | null)[][] {
  return [
    entries.map(({ origin }) => origin),
    ...ENTRY_COLUMN_NAMES.map((column) => entries.map((entry) => entry[column])),
  ];
}
