import type { EntityManager } from 'typeorm';
import { Problem } from '../../http/problem.js';
import type { ChangeContext } from '../../routing/change-context.js';
import type { Conflict } from '../conflict.entity.js';
import type { DisputableTable } from '../disputable.js';

type Row = Readonly<Record<string, unknown>>;

const LAST_REMOVED = `
  SELECT before FROM journal WHERE patient_id = $1 AND entity_id = $2 AND op = 'remove'
  ORDER BY seq DESC LIMIT 1`;

/** Brings back a removed record as the journal keeps it. Throws a 409 {@link Problem} when this node has no such entry. */
export async function restoreRecord(
  manager: EntityManager,
  { entity, metadata }: DisputableTable,
  { patientId, entityId }: Conflict,
  { actor: updatedBy }: ChangeContext,
): Promise<void> {
  const [removed] = await manager.query<{ before: Row }[]>(LAST_REMOVED, [patientId, entityId]);
  if (!removed) {
    throw new Problem(409, 'record-not-kept', 'This node does not have what was removed', {
      detail: 'Decide on a node that removed it, or at central.',
    });
  }
  const record = manager.create(entity);
  for (const column of metadata.columns) {
    const value: unknown = manager.dataSource.driver.prepareHydratedValue(
      removed.before[column.databaseName],
      column,
    );
    column.setEntityValue(record, value);
  }
  Object.assign(record, { version: record.version + 1, updatedAt: new Date(), updatedBy });
  await manager.insert(entity, record);
}
