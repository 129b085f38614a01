import type { Chunk } from '../journal/chunk.js';
import { digestOf } from '../journal/chunk-digest.js';
import { ENTRY_COLUMN_NAMES, ENTRY_COLUMNS, type EntryColumn, sentType } from '../journal/entry-columns.js';

/** The parameters of a statement that opens a chunk: $1 to $4, a column each, the digest. See {@link OPENED_CHUNK}. */
export function chunkValues({ origin, incarnation, after, through, entries, digest }: Chunk): unknown[] {
  return [
    origin,
    incarnation,
    after,
    through,
    ...ENTRY_COLUMN_NAMES.map((column) => entries[column]),
    digest,
  ];
}

/** A column of the entries, as an array. */
export function parameter(column: EntryColumn): string {
  return `$${String(ENTRY_COLUMN_NAMES.indexOf(column) + 5)}::${sentType(column)}[]`;
}

/** The same, for a SELECT list: a value for each entry. */
export function valuesOf(column: EntryColumn): string {
  const cast = sentType(column) === ENTRY_COLUMNS[column] ? '' : `::${ENTRY_COLUMNS[column]}`;
  return `unnest(${parameter(column)})${cast}`;
}

/** The entries of a chunk as rows, in their order. */
export const OPENED_CHUNK = `
      SELECT $1::text AS origin, entry.*, entry.origin_seq AS position
      FROM (SELECT ${ENTRY_COLUMN_NAMES.map((column) => `${valuesOf(column)} AS ${column}`).join(', ')}) entry`;

/** Whether the receiver has read what the sender had written. */
export const CHUNK_IS_INTACT = `${digestOf(ENTRY_COLUMN_NAMES.map(parameter), {
  origin: '$1::text',
  after: '$3::bigint',
  through: '$4::bigint',
})} = $${String(ENTRY_COLUMN_NAMES.length + 5)}::bigint`;
