import type { ClientBase } from 'pg';
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
  positions: readonly (number | string)[],
): Promise<IncomingEntry[]> {
  const { rows } = await client.query<IncomingEntry>(
    `SELECT position, origin, entity, entity_id AS "entityId", patient_id AS "patientId", op, before, after, knows, ${AUTHOR}
     FROM incoming_entries WHERE position = ANY($1) ORDER BY position`,
    [positions],
  );
  return rows;
}

/**
 * SQL: whether a row of the journal is of a record's patient, which is $1. Read by the index of patients; IS NOT DISTINCT
 * FROM would read all that was written since.
 */
export function ofPatient({ patientId }: Pick<IncomingEntry, 'patientId'>): string {
  return patientId === null ? '$1::uuid IS NULL AND patient_id IS NULL' : 'patient_id = $1';
}

/** What other nodes have done to the record of `entry`, and its maker did not know, oldest first. */
export async function foreignEntries(client: ClientBase, entry: IncomingEntry): Promise<ForeignEntry[]> {
  const { rows } = await client.query<ForeignEntry>(
    `SELECT origin, op, before, after, ${AUTHOR} FROM journal
     WHERE ${ofPatient(entry)} AND entity_id = $2 AND seq > $3 AND origin <> $4 AND op <> 'noop'
     ORDER BY seq`,
    [entry.patientId, entry.entityId, entry.knows, entry.origin],
  );
  return rows;
}

/** The row as it was when it was removed for the last time. */
export async function lastRemoval(
  client: ClientBase,
  entry: IncomingEntry,
): Promise<ForeignEntry | undefined> {
  const { rows } = await client.query<ForeignEntry>(
    `SELECT origin, op, before, after, ${AUTHOR} FROM journal
     WHERE ${ofPatient(entry)} AND entity_id = $2 AND op = 'remove' ORDER BY seq DESC LIMIT 1`,
    [entry.patientId, entry.entityId],
  );
  return rows[0];
}

/**
 * Locks what entries of shared patients are about to change: their lanes first, which keeps two regions apart, then
 * the rows, which keeps out whoever edits at central. What is asked afterwards sees all that was there before.
 */
export async function lockShared(client: ClientBase, tables: Iterable<string>): Promise<void> {
  await client.query(
    `SELECT FROM hosts WHERE patient_id IN (SELECT patient_id FROM incoming_entries)
     ORDER BY patient_id, region FOR UPDATE`,
  );
  for (const table of tables) {
    await client.query(
      `SELECT FROM "${table}" t WHERE t.id IN (
         SELECT i.entity_id FROM incoming_entries i
         WHERE i.entity = '${table}' AND (i.patient_id IS NULL OR i.patient_id IN (SELECT patient_id FROM hosts)))
       ORDER BY t.id FOR UPDATE`,
    );
  }
}

const UNKNOWN = `j.entity_id = i.entity_id AND j.seq > i.knows AND j.origin <> i.origin AND j.op <> 'noop'`;

/** The positions of entries that were made without knowing of a change of the same record by another node. */
export async function concurrentPositions(client: ClientBase): Promise<Set<number>> {
  const { rows } = await client.query<{ position: string }>(
    `SELECT i.position FROM incoming_entries i
     WHERE (i.patient_id IS NULL OR i.patient_id IN (SELECT patient_id FROM hosts))
       AND (EXISTS (SELECT FROM journal j WHERE j.patient_id = i.patient_id AND ${UNKNOWN})
            OR (i.patient_id IS NULL AND EXISTS (SELECT FROM journal j WHERE j.patient_id IS NULL AND ${UNKNOWN})))`,
  );
  return new Set(rows.map(({ position }) => Number(position)));
}
