import type { ClientBase } from 'pg';
import { queryWithBytes } from '../databases/query-with-bytes.js';
import type { Chunk } from '../journal/chunk.js';
import { ENTRY_COLUMN_NAMES, type EntryColumn } from '../journal/entry-columns.js';
import { IN_QUARANTINE } from '../journal/quarantined-lanes.js';
import { statementName } from '../journal/statement-name.js';
import { expectations, knownTables, writeSteps } from './write-entries.js';
import type { FailureCode } from '../observability/failures/failure-codes.js';
import { CHUNK_IS_INTACT, chunkValues, parameter, valuesOf } from './opened-chunk.js';
import type { ReceivingTable } from './receiving-tables.js';

/** The receiver stands somewhere else than the chunk begins: another relay was faster, or it was restored. */
export class CursorMovedError extends Error {
  readonly code = 'CURSOR_MOVED' satisfies FailureCode;

  constructor({ origin, after }: Pick<Chunk, 'origin' | 'after'>) {
    super(`The receiver's cursor for ${origin} is not at ${String(after)}`);
    this.name = 'CursorMovedError';
  }
}

/** The receiver has read something else than the sender had written: it was damaged on its way. */
export class ChunkCorruptError extends Error {
  readonly code = 'CHUNK_CORRUPT' satisfies FailureCode;

  constructor(
    readonly chunk: Pick<Chunk, 'origin' | 'after' | 'through'>,
    options?: ErrorOptions,
  ) {
    super(`A chunk of ${chunk.origin}, behind ${String(chunk.after)}, was damaged on its way`, options);
    this.name = 'ChunkCorruptError';
  }
}

/**
 * Anything but `applied` means that nothing was done.
 *
 * - `held back`: lanes that the chunk touches are in quarantine.
 * - `shared`: it touches patients that other nodes may have changed meanwhile, or records of everyone.
 */
export type ChunkOutcome = 'applied' | 'held back' | 'shared';

/**
 * Folds a chunk into the receiver's tables, appends it to the receiver's journal and moves the receiver's
 * cursor: one statement, so all of it or nothing, and nothing at all when it was damaged on its way, when the
 * cursor is not where the chunk begins, when a patient of the chunk waits in quarantine, or when nobody can say before a closer look that
 * the chunk's changes were made with the knowledge of all others. Most patients are known to one region alone, and
 * for them there is nothing to look at.
 */
export async function applyChunk(
  client: ClientBase,
  tables: ReadonlyMap<string, ReceivingTable>,
  chunk: Chunk,
): Promise<ChunkOutcome> {
  const touched = knownTables(tables, Object.keys(chunk.tables));
  const query = {
    name: statementName(
      'apply-chunk',
      touched.map(({ name }) => name),
    ),
    text: applyStatement(touched),
    values: chunkValues(chunk),
  };
  const result = await withDamageSeen(chunk, () => queryWithBytes<AppliedRow>(client, query));
  const { intact, moved, held, shared } = result.rows[0]!;
  if (!intact) throw new ChunkCorruptError(chunk);
  if (held) return 'held back';
  if (shared) return 'shared';
  if (!moved) throw new CursorMovedError(chunk);
  return 'applied';
}

type AppliedRow = Record<'intact' | 'moved' | 'held' | 'shared', boolean>;

/** Damage may be such that the receiver cannot read a parameter at all: that too is no fault of the change. */
export async function withDamageSeen<T>(chunk: Chunk, query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    const { where } = error as { where?: unknown };
    const isOfParameter = typeof where === 'string' && /\$\d+$/m.test(where);
    throw isOfParameter ? new ChunkCorruptError(chunk, { cause: error }) : error;
  }
}

const last = (column: EntryColumn) => `(${parameter(column)})[array_upper(${parameter(column)}, 1)]`;

/** JSON of the last entry, as text. */
const LAST_CONTENT = `coalesce(${last('after')}, ${last('before')})`;

/**
 * What tells a journal that was restored: see `src/relay/restored-journal.ts`. Null for a chunk without entries. The text comes
 * out of `checked`, a step of the statement: a parameter would be opened when the statement is planned, intact or not.
 */
const WITNESS_OF_LAST = `journal_witness(${last('entity_id')}, ${last('change_set')}, ${last('at')},
          (SELECT last_content FROM checked)::jsonb)`;

/** Saves `journal_deliver` from finding out for each entry that it is to go down to nobody: 4 µs of 55. */
const IS_UNSHARED = `set_config('medlink.unshared', concat_ws(' ', $1, $3, $4), true)`;

/** What of an entry makes up a row. */
const CHANGE_COLUMNS = ['entity', 'entity_id', 'op', 'after'] as const;

/** JSON is parsed once, though the journal and the rows need it: `parsed` is a step of the statement. */
const fromParsed = (column: EntryColumn) => (column === 'after' ? 'unnest(parsed.after)' : valuesOf(column));

function applyStatement(tables: readonly ReceivingTable[]): string {
  const tested = expectations(tables);
  return `
    WITH checked AS MATERIALIZED (
      SELECT ${CHUNK_IS_INTACT} AS intact, ${LAST_CONTENT} AS last_content
    ), held AS (
      SELECT EXISTS (SELECT FROM quarantine
                     WHERE ${IN_QUARANTINE}
                       AND (lane = ANY(${parameter('patient_id')}) OR lane = ANY(${parameter('entity_id')}))) AS lanes
    ), shared AS (
      SELECT EXISTS (SELECT FROM hosts WHERE patient_id = ANY(${parameter('patient_id')}))
             OR array_position(${parameter('patient_id')}, NULL) IS NOT NULL AS lanes
    ), moved AS (
      UPDATE replication_cursors SET seq = $4::bigint, applied_at = clock_timestamp(),
        witness = coalesce(${WITNESS_OF_LAST}, witness)
      WHERE origin = $1 AND incarnation = $2 AND seq = $3::bigint AND (SELECT intact FROM checked)
        AND NOT (SELECT lanes FROM held) AND NOT (SELECT lanes FROM shared)
      RETURNING ${IS_UNSHARED}
    ), parsed AS MATERIALIZED (
      SELECT ARRAY(SELECT ${valuesOf('after')}) AS after WHERE EXISTS (SELECT FROM moved)
    ), incoming AS NOT MATERIALIZED (
      SELECT $1::text AS origin, ${ENTRY_COLUMN_NAMES.map((column) => `${fromParsed(column)} AS ${column}`).join(', ')} FROM parsed
    ), changes AS NOT MATERIALIZED (
      SELECT ${CHANGE_COLUMNS.map((column) => `${fromParsed(column)} AS ${column}`).join(', ')},
             ${valuesOf('origin_seq')} AS position FROM parsed
    ), ${writeSteps(tables)}
    SELECT (SELECT intact FROM checked) AS intact, EXISTS (SELECT FROM moved) AS moved,
           (SELECT lanes FROM held) AS held, (SELECT lanes FROM shared) AS shared
           ${tested && `, ${tested}`}`;
}
