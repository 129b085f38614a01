import type { ClientBase } from 'pg';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import { ofPatient } from './incoming-entry.js';
import type { Fields } from './merge.js';

/** The record that a verdict is about. */
export interface JudgedRecord {
  readonly entityId: string;
  readonly patientId: string | null;
}

export interface Verdict {
  readonly columns: readonly string[];
  /** When its values were made. */
  readonly at: Date;
  /** The values that it replaces elsewhere, when nothing else in the journal tells. */
  readonly before?: Fields | null;
  /** Who decided; nobody in a merge. */
  readonly by?: Judge;
}

export interface Judge {
  readonly actor: string;
  readonly actorName: string;
  readonly reason?: string;
}

const NOBODY: Judge = { actor: 'medlink', actorName: 'MedLink' };

/** SQL expressions of what is journaled. Parameters $1 to $5 are the record and the judge. */
interface Told {
  readonly op: string;
  readonly before: string;
  readonly after: string;
  readonly at: string;
}

const journaled = ({ name, schema }: ReplicatedTable, { op, before, after, at }: Told) =>
  `INSERT INTO journal (seq, origin, origin_seq, incarnation, change_set, change_set_size, entity, entity_id,
                        patient_id, op, before, after, knows, actor, actor_name, reason, at, schema, captured_by)
   SELECT drawn.seq, node.code, drawn.seq, node.incarnation, pg_current_xact_id()::text::bigint, 1, '${name}', $2::uuid,
          $1::uuid, ${op}, ${before}, ${after}, 0, $3, $4, $5, ${at}, ${String(schema)}, 'application'
   FROM node CROSS JOIN (SELECT nextval('journal_seq') AS seq) drawn`;

const judgement = ({ entityId, patientId }: JudgedRecord, { actor, actorName, reason }: Judge) => [
  patientId,
  entityId,
  actor,
  actorName,
  reason ?? null,
];

/** Tells every copy of a record, the one where the entry was made included, what its columns are in the end. */
export async function appendVerdict(
  client: ClientBase,
  table: ReplicatedTable,
  record: JudgedRecord,
  { columns, at, before, by = NOBODY }: Verdict,
): Promise<void> {
  const after = `(SELECT jsonb_object_agg(key, value) FROM "${table.name}" t CROSS JOIN jsonb_each(to_jsonb(t))
                  WHERE t.id = $2 AND key = ANY($8))`;
  const told = { op: `'merge'`, before: '$6::jsonb', after, at: '$7::timestamptz' };
  const values = [before ? JSON.stringify(before) : null, at, columns];
  await client.query(journaled(table, told), [...judgement(record, by), ...values]);
}

/** Gives the whole row back to those who have removed it. It was so before: nothing of it is changed by that. */
export async function appendRestoration(
  client: ClientBase,
  table: ReplicatedTable,
  record: JudgedRecord,
  at: Date,
  by = NOBODY,
): Promise<void> {
  const row = `(SELECT to_jsonb(t) FROM "${table.name}" t WHERE t.id = $2)`;
  const told = { op: `'restore'`, before: row, after: row, at: '$6::timestamptz' };
  await client.query(journaled(table, told), [...judgement(record, by), at]);
}

/** Tells every copy that the record is gone at central. The entry keeps the row as it was when it was removed. */
export async function appendRemoval(
  client: ClientBase,
  table: ReplicatedTable,
  record: JudgedRecord,
  by = NOBODY,
): Promise<void> {
  const removed = `(SELECT j.before FROM journal j WHERE ${ofPatient(record)} AND j.entity_id = $2
                    AND j.op = 'remove' ORDER BY j.seq DESC LIMIT 1)`;
  const told = { op: `'remove'`, before: removed, after: 'NULL', at: 'clock_timestamp()' };
  await client.query(journaled(table, told), judgement(record, by));
}
