import type { ClientBase } from 'pg';
import { uuidv7 } from 'uuidv7';
import { flushJournal } from '../journal/flush-journal.js';
import type { DescribedChange } from '../journal/described-change.js';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import type { ConflictDraft } from './conflict-draft.js';
import type { IncomingEntry } from './incoming-entry.js';

/** What the merge does is done by nobody. */
const MAKER = { actor: 'medlink', actorName: 'MedLink' };

/** The record in question, the region whose change met another one, and what that change replaced there. */
export type DisputedRecord = Pick<IncomingEntry, 'entity' | 'entityId' | 'patientId' | 'origin' | 'before'>;

/** A conflict that is to be recorded. */
export interface Dispute {
  readonly record: DisputedRecord;
  readonly draft: ConflictDraft;
}

/** `before`: JSON text of the open conflict that a dispute has joined. */
interface Recorded {
  readonly id: string;
  readonly before: string | null;
}

/**
 * Records conflicts at central, as changes of central's own, so that they reach every copy. What a region goes on
 * changing while it waits for a person joins the conflict that is open: newer values take the place of the older ones of
 * the same side that they have replaced, and the base stays the first one. No two of them may be of one record and kind.
 */
export async function recordConflicts(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  disputes: readonly Dispute[],
): Promise<void> {
  if (disputes.length === 0) return;
  refuseTwins(disputes);
  const { rows } = await client.query<Recorded>({
    name: 'record-conflicts',
    text: RECORD,
    values: [JSON.stringify(disputes.map(described))],
  });
  const changes = rows.map(({ id, before }): DescribedChange =>
    before === null
      ? { table: 'conflicts', id, op: 'insert' }
      : { table: 'conflicts', id, op: 'update', before },
  );
  await flushJournal(client, tables, changes, MAKER);
}

/** The second would join the same open conflict, in which one statement writes only one of them. */
function refuseTwins(disputes: readonly Dispute[]): void {
  const keys = disputes.map(({ record, draft }) =>
    [record.entityId, record.origin, draft.kind, draft.otherId].join(' '),
  );
  if (new Set(keys).size < keys.length)
    throw new Error('Two conflicts of one record cannot be recorded at once');
}

function described({ record, draft }: Dispute, nth: number) {
  return {
    nth,
    id: uuidv7(),
    patient_id: record.patientId ?? record.entityId,
    entity: record.entity,
    entity_id: record.entityId,
    other_id: draft.otherId,
    region: record.origin,
    kind: draft.kind,
    severity: draft.severity,
    outcome: draft.outcome,
    fields: draft.fields,
    replaced: record.before ?? {},
  };
}

/**
 * Who has not seen a value that is in dispute disputes beside it: taking its place would lose it. And what central had
 * before a later value won over it is nowhere else.
 */
const REPLACES_ITS_VALUES = `NOT EXISTS (
  SELECT FROM jsonb_each(d.fields) new CROSS JOIN LATERAL (SELECT c.fields -> new.key AS old) disputed
  WHERE old IS NOT NULL
    AND (old #> '{regional,value}' IS DISTINCT FROM coalesce(d.replaced -> new.key, new.value #> '{regional,value}')
         OR (old ->> 'kept' = 'regional' AND old #> '{central,value}' IS DISTINCT FROM new.value #> '{central,value}')))`;

const RECORD = `
  WITH drafts AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS d(nth integer, id uuid, patient_id uuid, entity text, entity_id uuid,
      other_id uuid, region text, kind text, severity text, outcome text, fields jsonb, replaced jsonb)
  ), open AS MATERIALIZED (
    SELECT d.nth, found.* FROM drafts d CROSS JOIN LATERAL (
      SELECT c.id, to_jsonb(c)::text AS before FROM conflicts c
      WHERE d.outcome IS NULL AND c.state = 'open' AND c.entity_id = d.entity_id AND c.region = d.region
        AND c.kind = d.kind AND c.other_id IS NOT DISTINCT FROM d.other_id
        AND (c.kind <> 'fields' OR ${REPLACES_ITS_VALUES})
      ORDER BY c.id LIMIT 1 FOR UPDATE) found
  ), joined AS (
    UPDATE conflicts c SET
      fields = c.fields || (SELECT coalesce(jsonb_object_agg(new.key,
        CASE WHEN c.fields ? new.key THEN jsonb_set(new.value, '{base}', c.fields -> new.key -> 'base') ELSE new.value END), '{}')
        FROM jsonb_each(d.fields) new),
      severity = CASE WHEN 'critical' IN (c.severity, d.severity) THEN 'critical' ELSE 'high' END,
      version = version + 1, updated_at = clock_timestamp(), updated_by = 'medlink'
    FROM open o JOIN drafts d USING (nth) WHERE c.id = o.id
  ), opened AS (
    INSERT INTO conflicts (id, patient_id, entity, entity_id, other_id, region, kind, severity, state, outcome, fields,
                           version, created_at, updated_at, created_by, updated_by)
    SELECT id, patient_id, entity, entity_id, other_id, region, kind, severity,
           CASE WHEN outcome IS NULL THEN 'open' ELSE 'resolved' END, outcome, fields,
           1, clock_timestamp(), clock_timestamp(), 'medlink', 'medlink'
    FROM drafts WHERE nth NOT IN (SELECT nth FROM open)
  )
  SELECT coalesce(o.id, d.id) AS id, o.before FROM drafts d LEFT JOIN open o USING (nth) ORDER BY d.nth`;
