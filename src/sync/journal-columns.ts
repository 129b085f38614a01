import type { EntityMetadata } from 'typeorm';
import { readableGroups, type Role } from '../accounts/roles.js';
import { Conflict } from '../conflicts/conflict.entity.js';
import { visibleColumns, type VisibleColumns } from '../patients/history/visible-columns.js';
import { Region } from '../regions/region.entity.js';

export type JournalRow = Readonly<Record<string, unknown>>;

/** What every reader of the journal sees of records without groups. The sides of a conflict are patients' values. */
const OPEN = new Map<unknown, readonly string[]>([
  [Region, ['code', 'name', 'enabled']],
  [
    Conflict,
    ['entity', 'entityId', 'otherId', 'region', 'kind', 'severity', 'state', 'outcome', 'decidedNode'],
  ],
]);

/** Changes with every change, or never: nobody asks what they became. */
const BOOKKEEPING = ['id', 'version', 'createdAt', 'updatedAt', 'createdBy', 'updatedBy'];

/** The columns whose values `role` reads in the journal, by table. */
export function readableColumns(entities: readonly EntityMetadata[], role: Role): VisibleColumns {
  const open = entities.flatMap((entity) => {
    const fields = OPEN.get(entity.target);
    if (!fields) return [];
    const columns = entity.columns.filter(({ propertyName }) => fields.includes(propertyName));
    const shown = columns.map(({ databaseName, propertyName: property }) => [
      databaseName,
      { property, instant: false },
    ]);
    return [[entity.tableName, Object.fromEntries(shown)] as const];
  });
  return { ...visibleColumns(entities, readableGroups(role)), ...Object.fromEntries(open) };
}

/** The names of the fields that an entry sets or changes. Of a record that this version does not know, its columns. */
export function changedFields(
  entity: EntityMetadata | undefined,
  before: JournalRow | null,
  after: JournalRow | null,
): string[] {
  const properties = new Map(
    entity?.columns.map(({ databaseName, propertyName }) => [databaseName, propertyName]),
  );
  const row = after ?? before ?? {};
  // A whole row has all columns; an update those that changed, some of them to nothing.
  const isWhole = before === null || after === null;
  return Object.entries(row)
    .filter(([, value]) => !isWhole || value !== null)
    .map(([column]) => properties.get(column) ?? column)
    .filter((field) => !BOOKKEEPING.includes(field))
    .sort();
}
