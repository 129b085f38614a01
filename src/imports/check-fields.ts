import { type FieldError, Problem } from '../http/problem.js';
import { parse } from '../http/validation.js';
import { errorsOf } from './reading/read-ndjson.js';

/** `plain` by the rules of `Dto`, as the API has them; or everything that is wrong with it. */
export async function checkFields<T extends object>(
  Dto: new () => T,
  plain: object,
): Promise<{ fields: T } | { errors: readonly FieldError[] }> {
  try {
    return { fields: await parse(Dto, withoutUndefined(plain)) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { errors: errorsOf(error) };
  }
}

function withoutUndefined(plain: object): object {
  const known = Object.entries(plain).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known);
}
