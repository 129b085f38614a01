import { type FieldError, Problem } from '../../http/problem.js';
import { SIDES } from '../conflict.dto.js';

export type SideName = (typeof SIDES)[number];
/** What a person decides of one field: a side's value, or another one. */
export type Choice = { readonly take: SideName } | { readonly value: unknown };

interface Finding extends FieldError {
  readonly malformed: boolean;
}

/**
 * The `fields` of a decision, by name. `known`: what there is to decide. Throws a {@link Problem} that names every
 * bad field: 400 for what is not known or cannot be read, 422 for what is missing or is no choice.
 */
export function choicesOf(
  fields: Readonly<Record<string, unknown>>,
  known: readonly string[],
): ReadonlyMap<string, Choice> {
  const named = Object.entries(fields);
  const missing = known.filter((name) => !Object.hasOwn(fields, name));
  const findings = [
    ...named.flatMap(([name, choice]) =>
      known.includes(name) ? findingOf(name, choice) : unknownField(name),
    ),
    ...missing.map((name) => finding(name, 'must be decided too')),
  ];
  if (findings.length > 0) throw refused(findings);
  return new Map(named as [string, Choice][]);
}

/** Throws the problem of a decision whose values are readable and cannot be accepted. */
export function unacceptable(errors: readonly FieldError[]): Problem {
  return refused(errors.map((error) => ({ ...error, malformed: false })));
}

function findingOf(name: string, choice: unknown): Finding[] {
  if (typeof choice !== 'object' || choice === null || Array.isArray(choice))
    return [finding(name, 'must be an object with "take" or "value"', true)];
  const members = Object.keys(choice);
  const unknown = members.filter((member) => member !== 'take' && member !== 'value');
  if (unknown.length > 0)
    return unknown.map((member) => finding(`${name}.${member}`, 'is not known here', true));
  if (members.length !== 1) return [finding(name, 'must have either "take" or "value"')];
  if (!('take' in choice)) return [];
  if (typeof choice.take !== 'string') return [finding(`${name}.take`, 'must be a string', true)];
  const isSide = (SIDES as readonly string[]).includes(choice.take);
  return isSide ? [] : [finding(`${name}.take`, `must be one of ${SIDES.join(', ')}`)];
}

function unknownField(name: string): Finding[] {
  return [finding(name, 'is not in dispute here', true)];
}

function finding(name: string, message: string, malformed = false): Finding {
  return { path: `fields.${name}`, message, malformed };
}

function refused(findings: readonly Finding[]): Problem {
  const errors = findings.map(({ path, message }) => ({ path, message }));
  const detail = 'Each entry of "errors" names a field and what is wrong with it. Nothing was decided.';
  return findings.some(({ malformed }) => malformed)
    ? new Problem(400, 'malformed-input', 'The request cannot be understood', { detail, errors })
    : new Problem(422, 'invalid-input', 'Some values cannot be accepted', { detail, errors });
}
