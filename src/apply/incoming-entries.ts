import type { QueryConfig } from 'pg';
import { ENTRY_COLUMN_NAMES, ENTRY_COLUMNS } from '../journal/entry-columns.js';

/** The columns of `incoming_entries` that a journal has too. */
export const INCOMING_COLUMNS = `origin, ${ENTRY_COLUMN_NAMES.join(', ')}`;

/**
 * The entries that a session is about to apply, each with its place in their order (`position`), for as long as the
 * transaction lasts. The table itself lasts as long as the session: made anew for every chunk, each statement that
 * reads it was planned anew too, which was most of the 10 ms that a small chunk cost central. Asked for every time, since
 * what made it may have been rolled back.
 */
export const MAKE_INCOMING: QueryConfig = {
  text: `CREATE TEMPORARY TABLE IF NOT EXISTS incoming_entries (
           origin text, ${ENTRY_COLUMN_NAMES.map((name) => `${name} ${ENTRY_COLUMNS[name]}`).join(', ')},
           position bigint) ON COMMIT DELETE ROWS`,
};

/** For whoever takes up several stretches of entries in one transaction. */
export const EMPTY_INCOMING: QueryConfig = { text: 'TRUNCATE incoming_entries' };

/** SQL: the entries at the positions that are the parameter $1. An array alone would be searched for every entry. */
export const AT_POSITIONS = 'position IN (SELECT unnest($1::bigint[]))';
