import type { EntityManager } from 'typeorm';
import { Problem } from '../../http/problem.js';
import type { ChangeContext } from '../../routing/change-context.js';
import type { Conflict } from '../conflict.entity.js';
import type { DisputableTable } from '../disputable.js';

type Row = Readonly<Record<string, unknown>>;

/**
 * As it was removed here, and with what others have changed since: that came down while there was no row for it. Without
 * it, whoever brings the record back would undo, unseen, what this node knows of.
 */
const LAST_REMOVED = `
  WITH removed AS (
    SELECT seq, before FROM journal WHERE patient_id = $1 AND entity_id = $2 AND op = 'remove'
    ORDER BY seq DESC LIMIT 1
  )
  SELECT removed.before || coalesce(
    (SELECT journal_overlay(later.after ORDER BY later.seq) FROM journal later
     WHERE later.patient_id = $1 AND later.entity_id = $2 AND later.seq > removed.seq
       AND later.op <> 'noop' AND later.after IS NOT NULL), '{}') AS row
  FROM removed`;

/** Brings back a removed record as the journal keeps it. Throws a 409 {@link Problem} when this node has no such entry. */
export async function restoreRecord(
  manager: EntityManager,
  { entity, metadata }: Pick<DisputableTable, 'entity' | 'metadata'>,
  { patientId, entityId }: Pick<Conflict, 'patientId' | 'entityId'>,
  { actor: updatedBy }: Pick<ChangeContext, 'actor'>,
): Promise<void> {
  const [removed] = await manager.query<{ row: Row }[]>(LAST_REMOVED, [patientId, entityId]);
  if (!removed) {
    throw new Problem(409, 'record-not-kept', 'This node does not have what was removed', {
      detail: 'Decide on a node that removed it, or at central.',
    });
  }
  const record = manager.create(entity);
  for (const column of metadata.columns) {
    const value: unknown = manager.dataSource.driver.prepareHydratedValue(
      removed.row[column.databaseName],
      column,
    );
    column.setEntityValue(record, value);
  }
  Object.assign(record, { version: record.version + 1, updatedAt: new Date(), updatedBy });
  await manager.insert(entity, record);
}
