import { isDeepStrictEqual } from 'node:util';
import type { EntityMetadata } from 'typeorm';
import type { FieldGroup } from '../../accounts/roles.js';
import { Host } from '../../hosts/host.entity.js';
import { replicationOf } from '../../journal/replicated.js';
import type { EntityClass } from '../../routing/connection-router.js';
import { fieldsInGroups } from '../field-group.js';

/** By table and column, how the API shows the column. */
export type VisibleColumns = Readonly<Record<string, Columns>>;
type Columns = Readonly<Record<string, { readonly property: string; readonly instant: boolean }>>;
type Row = Readonly<Record<string, unknown>>;

/** Which regions have a patient's file is told to everyone who sees the patient. */
const IN_NO_GROUP = new Map<unknown, readonly string[]>([[Host, ['region', 'kind']]]);

/** The columns in `groups` of every entity that belongs to a patient. An entity without groups shows nothing. */
export function visibleColumns(
  entities: readonly EntityMetadata[],
  groups: readonly FieldGroup[],
): VisibleColumns {
  const tables = entities.filter(({ target }) => replicationOf(target)?.compartment != null);
  const named = tables.map((entity) => [entity.tableName, columnsOf(entity, groups)] as const);
  return Object.fromEntries(named.filter(([, columns]) => Object.keys(columns).length > 0));
}

function columnsOf(entity: EntityMetadata, groups: readonly FieldGroup[]): Columns {
  const fields = IN_NO_GROUP.get(entity.target) ?? fieldsInGroups(entity.target as EntityClass, groups);
  const shown = entity.columns.filter(({ propertyName }) => fields.includes(propertyName));
  return Object.fromEntries(
    shown.map(({ databaseName, propertyName: property, type }) => [
      databaseName,
      { property, instant: type === 'timestamptz' || type === 'timestamp with time zone' },
    ]),
  );
}

/** What an entry changed, by property: `[before, after]`, without what is only told because it belongs to a group. */
export function visibleChanges(
  columns: Columns,
  before: Row | null,
  after: Row | null,
): Record<string, [unknown, unknown]> {
  const changed = Object.entries(columns).flatMap(([column, { property, instant }]) => {
    const shown = (row: Row | null) => {
      const value = row?.[column] ?? null;
      return instant && typeof value === 'string' ? new Date(value).toISOString() : value;
    };
    const values: [unknown, unknown] = [shown(before), shown(after)];
    return isDeepStrictEqual(values[0], values[1]) ? [] : [[property, values] as const];
  });
  return Object.fromEntries(changed);
}
