import type { EntityMetadata, ObjectLiteral, RemoveEvent, UpdateEvent } from 'typeorm';
import { UndescribableWriteError } from './undescribable-write.error.js';

export type RowEvent = UpdateEvent<ObjectLiteral> | RemoveEvent<ObjectLiteral>;

/**
 * The id of the row, which only save() and remove() know: the builders pass the values that they set, or
 * nothing. Of a row that is gone, nothing is loaded; remove() still tells what it was asked to remove.
 */
export function rowIdOf({ metadata, databaseEntity, ...event }: RowEvent): string | undefined {
  const loaded = databaseEntity as ObjectLiteral | undefined;
  if (loaded) return idOf(metadata, loaded);
  const removed: unknown = 'entityId' in event ? event.entityId : undefined;
  return typeof removed === 'string' ? removed.toLowerCase() : undefined;
}

/** @throws {UndescribableWriteError} when the entity has none */
export function idOf(metadata: EntityMetadata, entity: ObjectLiteral | undefined): string {
  const id: unknown = entity && metadata.primaryColumns[0]?.getEntityValue(entity);
  if (typeof id === 'string') return id.toLowerCase();
  throw UndescribableWriteError.of(
    metadata.tableName,
    'the row has no id yet',
    'Give every new entity its id before you save() or insert() it.',
  );
}
