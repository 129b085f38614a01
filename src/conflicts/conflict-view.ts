import type { Conflict } from './conflict.entity.js';
import type { ConflictDto, DisputedFieldDto } from './conflict.dto.js';
import {
  type DisputableField,
  type DisputableRecord,
  type DisputableTable,
  shownValue,
} from './disputable.js';
import type { DisputedField, DisputedSide } from './disputed-fields.js';

/** Under this name a removal is decided. */
export const REMOVAL = 'removal';

/** What a reader of a conflict may see of it. */
export interface Sight {
  /** `undefined`: this version does not know the entity, and shows none of its fields. */
  readonly table: DisputableTable | undefined;
  /** Properties. */
  readonly readable: readonly string[];
  /** The record as it is now; `undefined` when it is not here. */
  readonly record: DisputableRecord | undefined;
}

/** A conflict as one reader sees it: by the names of the API, without what their role may not see. */
export function conflictView(conflict: Conflict, { table, readable, record }: Sight): ConflictDto {
  const known = knownFields(conflict, table);
  const visible = known.filter(({ property }) => readable.includes(property));
  const fields = visible.map((field) => [
    field.property,
    fieldView(field, conflict.fields[field.column]!, record),
  ]);
  const { fields: _, decisions, createdBy: __, updatedBy: ___, ...rest } = conflict;
  return {
    ...rest,
    fields: Object.fromEntries(fields) as ConflictDto['fields'],
    toDecide: conflict.kind === 'removal' ? [REMOVAL] : known.map(({ property }) => property),
    decisions: decisions && visibleDecisions(decisions, visible),
  };
}

/** The disputed columns that this version knows, as the API calls them. */
export function knownFields(
  { fields }: Pick<Conflict, 'fields'>,
  table: DisputableTable | undefined,
): DisputableField[] {
  return table?.fields.filter(({ column }) => Object.hasOwn(fields, column)) ?? [];
}

export function sideView(field: DisputableField, side: DisputedSide): DisputedSide {
  return { ...side, value: shownValue(field, side.value) };
}

function fieldView(
  field: DisputableField,
  { base, regional, central, kept }: DisputedField,
  record: DisputableRecord | undefined,
): DisputedFieldDto {
  return {
    base: shownValue(field, base),
    regional: sideView(field, regional),
    central: sideView(field, central),
    kept,
    ...(record && { current: shownValue(field, record[field.property]) }),
  };
}

function visibleDecisions(
  decisions: Readonly<Record<string, unknown>>,
  visible: readonly DisputableField[],
): Record<string, unknown> {
  const names = new Map([
    [REMOVAL, REMOVAL],
    ...visible.map(({ column, property }) => [column, property] as const),
  ]);
  const shown = Object.entries(decisions).filter(([column]) => names.has(column));
  return Object.fromEntries(shown.map(([column, decision]) => [names.get(column)!, decision]));
}
