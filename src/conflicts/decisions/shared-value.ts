import { isDeepStrictEqual } from 'node:util';
import type { EntityManager } from 'typeorm';
import type { Conflict } from '../conflict.entity.js';
import {
  type DisputableField,
  type DisputableRecord,
  type DisputableTable,
  shownValue,
} from '../disputable.js';
import type { Choice } from './choices.js';

interface SharedValue {
  readonly conflict: Conflict;
  readonly table: DisputableTable;
  readonly record: DisputableRecord;
  readonly field: DisputableField;
  /** Whether this database has every record of the country. */
  readonly knowsAll: boolean;
}

/**
 * Whether two records still have the value of an identity conflict, as far as this node can tell: of one that it
 * does not have, it must suppose so.
 */
export async function isStillShared(
  manager: EntityManager,
  { conflict, table, record, field, knowsAll }: SharedValue,
): Promise<boolean> {
  if (!isDeepStrictEqual(shownValue(field, record[field.property]), disputedValue(conflict, field)))
    return false;
  const other = conflict.otherId && (await manager.findOneBy(table.entity, { id: conflict.otherId }));
  return other ? isDeepStrictEqual(other[field.property], record[field.property]) : !knowsAll;
}

export function givesAnotherValue(conflict: Conflict, field: DisputableField, choice: Choice): boolean {
  return 'value' in choice && !isDeepStrictEqual(choice.value, disputedValue(conflict, field));
}

function disputedValue({ fields }: Conflict, field: DisputableField): unknown {
  return shownValue(field, fields[field.column]!.regional.value);
}
