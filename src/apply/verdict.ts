import type { ClientBase } from 'pg';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import type { IncomingEntry } from './incoming-entry.js';

export interface Verdict {
  /** `merge`: values have met in some columns. `restore`: the whole row, for those who have removed it. */
  readonly op: 'merge' | 'restore';
  readonly columns: readonly string[];
  /** When the newest of its values was made. */
  readonly at: Date;
}

/** Tells every copy of a record, the one where the entry was made included, what its columns are in the end. */
export async function appendVerdict(
  client: ClientBase,
  { name, schema }: ReplicatedTable,
  entry: IncomingEntry,
  { op, columns, at }: Verdict,
): Promise<void> {
  await client.query(
    `WITH drawn AS (SELECT nextval('journal_seq') AS seq)
     INSERT INTO journal (seq, origin, origin_seq, incarnation, change_set, change_set_size, entity, entity_id,
                          patient_id, op, before, after, knows, actor, actor_name, at, schema, captured_by)
     SELECT drawn.seq, node.code, drawn.seq, node.incarnation, pg_current_xact_id()::text::bigint, 1, '${name}', t.id,
            $2, $3, NULL, (SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb(t)) WHERE key = ANY($4)), 0,
            'medlink', 'MedLink', $5, ${String(schema)}, 'application'
     FROM "${name}" t CROSS JOIN node CROSS JOIN drawn WHERE t.id = $1`,
    [entry.entityId, entry.patientId, op, columns, at],
  );
}
