import type { ClientBase } from 'pg';
import { uuidv7 } from 'uuidv7';
import { flushJournal } from '../journal/flush-journal.js';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import type { ConflictDraft } from './conflict-draft.js';
import type { IncomingEntry } from './incoming-entry.js';

/** What the merge does is done by nobody. */
const MAKER = { actor: 'medlink', actorName: 'MedLink' };

/** The record in question, the region whose change met another one, and what that change replaced there. */
export type DisputedRecord = Pick<IncomingEntry, 'entity' | 'entityId' | 'patientId' | 'origin' | 'before'>;

interface OpenConflict {
  readonly id: string;
  readonly before: string;
}

/**
 * Records a conflict at central, as a change of central's own, so that it reaches every copy. What a region goes on
 * changing while it waits for a person joins the conflict that is open: newer values take the place of the older ones of
 * the same side that they have replaced, and the base stays the first one.
 */
export async function recordConflict(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  entry: DisputedRecord,
  draft: ConflictDraft,
): Promise<void> {
  const open = draft.outcome === null ? await openConflict(client, entry, draft) : undefined;
  if (open) await join(client, open, draft);
  const id = open?.id ?? (await insert(client, entry, draft));
  const change = open
    ? ({ table: 'conflicts', id, op: 'update', before: open.before } as const)
    : ({ table: 'conflicts', id, op: 'insert' } as const);
  await flushJournal(client, tables, [change], MAKER);
}

async function openConflict(
  client: ClientBase,
  { entityId, origin, before }: DisputedRecord,
  { kind, otherId, fields }: ConflictDraft,
): Promise<OpenConflict | undefined> {
  const { rows } = await client.query<OpenConflict>(
    `SELECT id, to_jsonb(c)::text AS before FROM conflicts c
     WHERE entity_id = $1 AND region = $2 AND kind = $3 AND other_id IS NOT DISTINCT FROM $4 AND state = 'open'
       AND (kind <> 'fields' OR ${REPLACES_ITS_VALUES})
     ORDER BY id LIMIT 1 FOR UPDATE`,
    [entityId, origin, kind, otherId ?? null, JSON.stringify(fields), JSON.stringify(before ?? {})],
  );
  return rows[0];
}

/**
 * Who has not seen a value that is in dispute disputes beside it: taking its place would lose it. And what central had
 * before a later value won over it is nowhere else.
 */
const REPLACES_ITS_VALUES = `NOT EXISTS (
  SELECT FROM jsonb_each($5::jsonb) new CROSS JOIN LATERAL (SELECT c.fields -> new.key AS old) disputed
  WHERE old IS NOT NULL
    AND (old #> '{regional,value}' IS DISTINCT FROM coalesce($6::jsonb -> new.key, new.value #> '{regional,value}')
         OR (old ->> 'kept' = 'regional' AND old #> '{central,value}' IS DISTINCT FROM new.value #> '{central,value}')))`;

async function join(
  client: ClientBase,
  { id }: OpenConflict,
  { fields, severity }: ConflictDraft,
): Promise<void> {
  await client.query(
    `UPDATE conflicts c SET
       fields = c.fields || (SELECT coalesce(jsonb_object_agg(new.key,
         CASE WHEN c.fields ? new.key THEN jsonb_set(new.value, '{base}', c.fields -> new.key -> 'base') ELSE new.value END), '{}')
         FROM jsonb_each($2::jsonb) new),
       severity = CASE WHEN 'critical' IN (c.severity, $3) THEN 'critical' ELSE 'high' END,
       version = version + 1, updated_at = clock_timestamp(), updated_by = 'medlink'
     WHERE id = $1`,
    [id, JSON.stringify(fields), severity],
  );
}

async function insert(client: ClientBase, entry: DisputedRecord, draft: ConflictDraft): Promise<string> {
  const id = uuidv7();
  const { kind, severity, outcome, fields, otherId } = draft;
  await client.query(
    `INSERT INTO conflicts (id, patient_id, entity, entity_id, other_id, region, kind, severity, state, outcome, fields,
                            version, created_at, updated_at, created_by, updated_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, CASE WHEN $9::text IS NULL THEN 'open' ELSE 'resolved' END, $9, $10,
             1, clock_timestamp(), clock_timestamp(), 'medlink', 'medlink')`,
    [
      id,
      entry.patientId ?? entry.entityId,
      entry.entity,
      entry.entityId,
      otherId ?? null,
      entry.origin,
      kind,
      severity,
      outcome,
      JSON.stringify(fields),
    ],
  );
  return id;
}
