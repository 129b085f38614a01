import type { ClientBase, QueryConfig } from 'pg';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import { statementName } from '../journal/statement-name.js';
import { AT_POSITIONS } from './incoming-entries.js';
import type { Fields } from './merge.js';

/** A received journal entry that is about to be merged, in `incoming_entries`. */
export interface IncomingEntry {
  readonly position: string;
  readonly origin: string;
  readonly entity: string;
  readonly entityId: string;
  readonly patientId: string | null;
  readonly op: string;
  readonly before: Fields | null;
  readonly after: Fields | null;
  readonly knows: string;
  readonly at: Date;
  readonly actor: string;
  readonly actorName: string | null;
  readonly role: string | null;
}

/** An entry of central's journal that the maker of an incoming one did not know of. */
export type ForeignEntry = Omit<IncomingEntry, 'position' | 'knows' | 'patientId' | 'entity' | 'entityId'>;

/** By central's clock, as far as it knows the origin's: a clock that is hours off must not make a change the later one. */
const AUTHOR = `at + coalesce((SELECT n.clock_offset FROM region_nodes n WHERE n.region = origin), '0') AS at, actor, actor_name AS "actorName", role`;

/** The entries at `positions`, in their order. */
export async function incomingEntries(
  client: ClientBase,
  positions: readonly number[],
): Promise<IncomingEntry[]> {
  const { rows } = await client.query<IncomingEntry>({
    name: 'incoming-entries',
    text: `SELECT position, origin, entity, entity_id AS "entityId", patient_id AS "patientId", op, before, after, knows, ${AUTHOR}
           FROM incoming_entries WHERE ${AT_POSITIONS} ORDER BY position`,
    values: [positions],
  });
  return rows;
}

/**
 * SQL: entries of the journal of the record of `record` (an alias), as `columns`. Read by the index of patients, which an OR or
 * IS NOT DISTINCT FROM would not let it be.
 */
export function ofRecord(record: string, columns: string, condition: string): string {
  const select = `SELECT ${columns} FROM journal j WHERE j.entity_id = ${record}.entity_id AND ${condition}`;
  return `${select} AND j.patient_id = ${record}.patient_id
          UNION ALL ${select} AND j.patient_id IS NULL AND ${record}.patient_id IS NULL`;
}

/** What other nodes have done to a record, and the maker of the entry `i` did not know. */
const UNKNOWN = `j.seq > i.knows AND j.origin <> i.origin AND j.op <> 'noop'`;

const ENTRY = `j.seq, j.origin, j.op, j.before, j.after, ${AUTHOR}`;

/** A statement that gives, by position and oldest first, what other nodes have done and the makers of entries did not know. */
export const foreignEntries = (positions: readonly string[]): QueryConfig => ({
  name: 'foreign-entries',
  text: `SELECT i.position, other.* FROM incoming_entries i
         CROSS JOIN LATERAL (${ofRecord('i', ENTRY, UNKNOWN)}) other
         WHERE i.${AT_POSITIONS} ORDER BY i.position, other.seq`,
  values: [positions],
});

/** A statement that gives, by position, the record as it was when it was removed for the last time. */
export const lastRemovals = (positions: readonly string[]): QueryConfig => ({
  name: 'last-removals',
  text: `SELECT i.position, last.* FROM incoming_entries i
         CROSS JOIN LATERAL (SELECT * FROM (${ofRecord('i', ENTRY, `j.op = 'remove'`)}) removal
                             ORDER BY seq DESC LIMIT 1) last
         WHERE i.${AT_POSITIONS}`,
  values: [positions],
});

/** By the index, whatever is thought of how many they are: there may be a million. */
const IS_SHARED = `(i.patient_id IS NULL OR (SELECT true FROM hosts h WHERE h.patient_id = i.patient_id LIMIT 1))`;

/** SQL: whether the entry `i` was made without knowing of a change of the same record by another node. */
export const IS_CONCURRENT = `coalesce(${IS_SHARED} AND EXISTS (${ofRecord('i', '1', UNKNOWN)}), false)`;

/**
 * Statements that lock what entries of shared patients are about to change: their lanes first, which keeps two regions
 * apart, then the rows, which keeps out whoever edits at central. What is asked afterwards sees all that was there before.
 */
export const lockShared = (tables: readonly ReplicatedTable[]): QueryConfig[] => [
  {
    name: 'lock-lanes',
    text: `SELECT FROM hosts WHERE patient_id IN (SELECT patient_id FROM incoming_entries)
           ORDER BY patient_id, region FOR UPDATE`,
  },
  {
    name: statementName('lock-shared', namesOf(tables)),
    text: lockRows(
      tables,
      (name) => `IN (SELECT i.entity_id FROM incoming_entries i WHERE i.entity = '${name}' AND ${IS_SHARED})`,
    ),
  },
];

/** A statement that locks the rows of these records, as {@link lockShared} does. */
export const lockRecords = (tables: readonly ReplicatedTable[], ids: readonly string[]): QueryConfig => ({
  name: statementName('lock-records', namesOf(tables)),
  text: lockRows(tables, () => '= ANY($1::uuid[])'),
  values: [ids],
});

const namesOf = (tables: readonly ReplicatedTable[]) => tables.map(({ name }) => name);

/** Table by table, in the order of `tables`: that is how they are counted. `which`: a condition of the ids of a table. */
function lockRows(tables: readonly ReplicatedTable[], which: (table: string) => string): string {
  const locked = namesOf(tables).map(
    (name) =>
      `"locked ${name}" AS MATERIALIZED (SELECT FROM "${name}" t WHERE t.id ${which(name)} ORDER BY t.id FOR UPDATE)`,
  );
  const counted = namesOf(tables).map((name) => `(SELECT count(*) FROM "locked ${name}")`);
  return locked.length === 0 ? 'SELECT' : `WITH ${locked.join(', ')} SELECT ${counted.join(', ')}`;
}
