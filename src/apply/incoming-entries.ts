import type { QueryConfig } from 'pg';
import { ENTRY_COLUMN_NAMES, ENTRY_COLUMNS } from '../journal/entry-columns.js';

/** The columns of `incoming_entries` that a journal has too. */
export const INCOMING_COLUMNS = `origin, ${ENTRY_COLUMN_NAMES.join(', ')}`;

/**
 * The entries that a session is about to apply, each with its place in their order (`position`), for as long as the
 * transaction lasts. The table itself outlives it: made anew for every chunk, whatever reads it was planned anew too, and a
 * chunk of twenty entries cost central 10 ms of its processor in place of 4. Asked for every time, since what made it may
 * have been rolled back.
 */
export const MAKE_INCOMING: QueryConfig = {
  text: `CREATE TEMPORARY TABLE IF NOT EXISTS incoming_entries (
           origin text, ${ENTRY_COLUMN_NAMES.map((name) => `${name} ${ENTRY_COLUMNS[name]}`).join(', ')},
           position bigint) ON COMMIT DELETE ROWS`,
};

/** For whoever takes up several stretches of entries in one transaction. */
export const EMPTY_INCOMING: QueryConfig = { text: 'TRUNCATE incoming_entries' };

/** For a session that lives for long: see {@link INCOMING_LIFE_MS}. It is made again where it is needed. */
export const DROP_INCOMING: QueryConfig = { text: 'DROP TABLE IF EXISTS pg_temp.incoming_entries' };

/**
 * How long a session keeps its table at most. Autovacuum does not reach it, and one that is months old would keep the
 * database from forgetting which transactions there have been since.
 */
export const INCOMING_LIFE_MS = 3_600_000;

/** SQL: the entries at the positions that are the parameter $1. An array alone would be searched for every entry. */
export const AT_POSITIONS = 'position IN (SELECT unnest($1::bigint[]))';
