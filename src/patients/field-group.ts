import { getMetadataArgsStorage } from 'typeorm';
import type { FieldGroup } from '../accounts/roles.js';
import type { EntityClass } from '../routing/connection-router.js';

const groups = new Map<unknown, Map<string, FieldGroup>>();

/**
 * Says who may see and set a column: the roles that have its group, see `src/accounts/roles.ts`. A
 * column without a group is bookkeeping (`id`, `version` ...): everyone who sees the record sees it,
 * and nobody sets it.
 */
export function InGroup(group: FieldGroup): PropertyDecorator {
  return (prototype, property) => {
    const entity = prototype.constructor;
    const fields = groups.get(entity) ?? new Map<string, FieldGroup>();
    groups.set(entity, fields.set(String(property), group));
  };
}

/** The properties of `entity` in any of `wanted`, in the order in which the class declares them. */
export function fieldsInGroups(entity: EntityClass, wanted: readonly FieldGroup[]): string[] {
  return [...(groups.get(entity) ?? [])]
    .filter(([, group]) => wanted.includes(group))
    .map(([field]) => field);
}

/** Every property of `entity` that has a group. */
export function groupedFields(entity: EntityClass): string[] {
  return [...(groups.get(entity)?.keys() ?? [])];
}

/** The properties of `entity` without a group: bookkeeping, which nobody sets. */
export function readOnlyFields(entity: EntityClass): string[] {
  const grouped = groupedFields(entity);
  const columns = getMetadataArgsStorage().filterColumns(entity);
  return columns.map(({ propertyName }) => propertyName).filter((field) => !grouped.includes(field));
}
