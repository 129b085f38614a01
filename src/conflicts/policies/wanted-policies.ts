import { type FieldError, Problem } from '../../http/problem.js';
import type { DisputableField } from '../disputable.js';
import { PREVIEWED_POLICIES, type PreviewedPolicy } from './preview.dto.js';

/**
 * The policies of a request, by column. Throws a {@link Problem} that names every bad field: 400 for one that is not
 * known, 422 for a policy that is none, or that half of what moves as one would have.
 */
export function wantedPolicies(
  policies: Readonly<Record<string, unknown>>,
  fields: readonly DisputableField[],
): ReadonlyMap<string, PreviewedPolicy> {
  const byName = new Map(fields.map((field) => [field.property, field]));
  const unknown = Object.keys(policies).filter((name) => !byName.has(name));
  if (unknown.length > 0) throw refused(400, unknown.map(error('is not known here')));
  const names = Object.keys(policies);
  const bad = names.filter((name) => !(PREVIEWED_POLICIES as readonly unknown[]).includes(policies[name]));
  if (bad.length > 0) throw refused(422, bad.map(error(`must be one of ${PREVIEWED_POLICIES.join(', ')}`)));
  const split = names.filter((name) => isSplit(byName.get(name)!, policies, fields));
  if (split.length > 0) throw refused(422, split.map(error('must be as for the fields that move with it')));
  return new Map(names.map((name) => [byName.get(name)!.column, policies[name] as PreviewedPolicy]));
}

function isSplit(
  { property, group }: DisputableField,
  policies: Readonly<Record<string, unknown>>,
  fields: readonly DisputableField[],
): boolean {
  const others = fields.filter((field) => group !== undefined && field.group === group);
  return others.some((field) => policies[field.property] !== policies[property]);
}

const error =
  (message: string) =>
  (name: string): FieldError => ({ path: `policies.${name}`, message });

function refused(status: 400 | 422, errors: readonly FieldError[]): Problem {
  const detail = 'Each entry of "errors" names a field and what is wrong with it.';
  return status === 400
    ? new Problem(400, 'malformed-input', 'The request cannot be understood', { detail, errors })
    : new Problem(422, 'invalid-input', 'Some values cannot be accepted', { detail, errors });
}
