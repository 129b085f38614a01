import type { QueryConfig } from 'pg';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import { statementName } from '../journal/statement-name.js';
import { ofRecord } from './incoming-entry.js';
import type { Fields } from './merge.js';
import { pick, rowOf } from './situation.js';

/** The record that a verdict is about. */
export interface JudgedRecord {
  readonly entityId: string;
  readonly patientId: string | null;
}

/**
 * What every copy of a record is told by central, the one where the entry was made included.
 *
 * - `merge`: what `columns` are in the end.
 * - `restore`: the whole row, for those who have removed it. It was so before: nothing of it is changed by that.
 * - `remove`: that it is gone. The entry keeps the row as it was when it was removed.
 */
export interface Verdict {
  readonly op: 'merge' | 'restore' | 'remove';
  readonly table: ReplicatedTable;
  readonly record: JudgedRecord;
  readonly columns?: readonly string[];
  /** When its values were made. A removal has no time but that of the verdict. */
  readonly at: Date;
  /** Of a merge: the values that it replaces elsewhere, when nothing else in the journal tells. */
  readonly before?: Fields | null;
}

export interface Judge {
  readonly actor: string;
  readonly actorName: string;
  readonly reason?: string;
}

/** Who decides in a merge. */
const NOBODY: Judge = { actor: 'medlink', actorName: 'MedLink' };

const REMOVED = `(SELECT last.before FROM (${ofRecord('v', 'j.seq, j.before', `j.op = 'remove'`)}) last
                  ORDER BY last.seq DESC LIMIT 1)`;

/** A statement that appends verdicts to central's journal, in their order. `tables`: at least theirs. */
export function appendVerdicts(
  tables: readonly ReplicatedTable[],
  verdicts: readonly Verdict[],
  { actor, actorName, reason }: Judge = NOBODY,
): QueryConfig {
  return {
    name: statementName(
      'append-verdicts',
      tables.map(({ name }) => name),
    ),
    text: `
      INSERT INTO journal (seq, origin, origin_seq, incarnation, change_set, change_set_size, entity, entity_id,
                           patient_id, op, before, after, knows, actor, actor_name, reason, at, schema, captured_by)
      SELECT n.seq, node.code, n.seq, node.incarnation, pg_current_xact_id()::text::bigint, 1, n.entity, n.entity_id,
             n.patient_id, n.op, n.before, n.after, 0, $2, $3, $4, coalesce(n.at, clock_timestamp()), n.schema, 'application'
      FROM node CROSS JOIN (
        SELECT nextval('journal_seq') AS seq, entity, entity_id, patient_id, op, at, schema,
               CASE op WHEN 'merge' THEN replaced WHEN 'restore' THEN row ELSE ${REMOVED} END AS before,
               CASE op WHEN 'merge' THEN ${pick('row', 'columns')} WHEN 'restore' THEN row END AS after
        FROM (SELECT told.*, ${rowOf('told', tables)} AS row
              FROM jsonb_to_recordset($1::jsonb) AS told(nth integer, op text, entity text, schema integer, entity_id uuid,
                patient_id uuid, columns jsonb, at timestamptz, replaced jsonb) ORDER BY nth) v) n`,
    values: [JSON.stringify(verdicts.map(described)), actor, actorName, reason ?? null],
  };
}

function described({ op, table, record, columns, at, before }: Verdict, nth: number) {
  return {
    nth,
    op,
    entity: table.name,
    schema: table.schema,
    entity_id: record.entityId,
    patient_id: record.patientId,
    columns,
    at: op === 'remove' ? undefined : at,
    // SQL's null, not JSON's.
    replaced: before ?? undefined,
  };
}
