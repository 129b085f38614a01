import { isDeepStrictEqual } from 'node:util';
import type { FieldError } from '../../http/problem.js';
import type { Conflict } from '../conflict.entity.js';
import { type DisputableField, shownValue } from '../disputable.js';
import type { Decisions, DisputedFields } from '../disputed-fields.js';
import type { Choice, SideName } from './choices.js';

/** The values that `choices` mean, by property. */
export function valuesOf(
  { fields }: Pick<Conflict, 'fields'>,
  known: readonly DisputableField[],
  choices: ReadonlyMap<string, Choice>,
): Record<string, unknown> {
  const values = known.map((field) => {
    const choice = choices.get(field.property)!;
    return [field.property, 'take' in choice ? takenValue(fields, field, choice.take) : choice.value];
  });
  return Object.fromEntries(values) as Record<string, unknown>;
}

/** What is kept of a decision, by column. `values`, by property, are as they were accepted. */
export function decisionsOf(
  { fields }: Pick<Conflict, 'fields'>,
  known: readonly DisputableField[],
  choices: ReadonlyMap<string, Choice>,
  values: Readonly<Record<string, unknown>>,
): Decisions {
  const decisions = known.map((field): [string, Decisions[string]] => {
    const choice = choices.get(field.property)!;
    if ('take' in choice) return [field.column, { take: choice.take }];
    const value = shownValue(field, values[field.property]);
    // Who writes a side's own value again takes that side: its author need not be told of another one.
    const side = sidesOf(fields, field, value).at(0);
    return [field.column, side ? { take: side } : { value }];
  });
  return Object.fromEntries(decisions);
}

/** Fields of a group are one value: what is wrong with choices that take half of it from each side. */
export function splitGroups(
  known: readonly DisputableField[],
  choices: ReadonlyMap<string, Choice>,
): FieldError[] {
  const groups = new Set(known.flatMap(({ group }) => group ?? []));
  return [...groups].flatMap((group) => {
    const members = known.filter((field) => field.group === group);
    const kinds = new Set(members.map(({ property }) => kindOf(choices.get(property)!)));
    if (kinds.size <= 1) return [];
    const names = members.map(({ property }) => property).join(', ');
    return members.map(({ property }) => ({
      path: `fields.${property}`,
      message: `must be decided like the others of ${names}: the same side for all, or values for all`,
    }));
  });
}

/** Which side removed the record; `undefined` when the conflict does not tell. The other one is what was kept. */
export function removingSide({ fields }: Pick<Conflict, 'fields'>): SideName | undefined {
  const kept = Object.values(fields).find((field) => field.kept !== 'both')?.kept;
  if (kept === undefined || kept === 'both') return undefined;
  return kept === 'regional' ? 'central' : 'regional';
}

function kindOf(choice: Choice): string {
  return 'take' in choice ? choice.take : 'value';
}

function takenValue(fields: DisputedFields, field: DisputableField, side: SideName): unknown {
  return shownValue(field, fields[field.column]![side].value);
}

function sidesOf(fields: DisputedFields, field: DisputableField, value: unknown): SideName[] {
  const isSame = (side: SideName) => isDeepStrictEqual(takenValue(fields, field, side), value ?? null);
  return (['central', 'regional'] as const).filter(isSame);
}
