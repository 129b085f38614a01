import { isDeepStrictEqual } from 'node:util';

/** Whether two JSON values are equal once their texts are in Unicode's form C and without space around them. */
export function sameText(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(normalised(one), normalised(other));
}

function normalised(value: unknown): unknown {
  if (typeof value === 'string') return value.normalize('NFC').trim();
  if (Array.isArray(value)) return value.map(normalised);
  if (typeof value === 'object' && value !== null) return withoutNulls(value);
  return value;
}

/** A member that is null says no more than one that is not there. */
function withoutNulls(value: object): Record<string, unknown> {
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, normalised(member)]));
}
