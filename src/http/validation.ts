import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validate, type ValidationError, type ValidatorOptions } from 'class-validator';
import { findingWords } from './finding-words.js';
import { type FieldError, Problem } from './problem.js';
import { isReadOnly } from './read-only.js';

type Class<T> = new () => T;

const OPTIONS: ValidatorOptions = { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true };

/** The checks that say "this is not what the field holds at all"; a failure of any other is a value refused. */
const TYPE_CHECKS = new Set([
  'isString',
  'isInt',
  'isNumber',
  'isArray',
  'isObject',
  'isBoolean',
  'isBooleanString',
  'isNumberString',
  'isUuid',
  'nestedValidation',
  'unknownValue',
  'whitelistValidation',
]);

interface Finding extends FieldError {
  readonly malformed: boolean;
}

/**
 * Turns `plain` into an instance of `Dto` and checks it with the validators of its properties.
 * Throws a {@link Problem} that names every bad field once: 400 when one has the wrong JSON type, cannot
 * be read, is unknown or read-only, otherwise 422.
 */
export async function parse<T extends object>(Dto: Class<T>, plain: unknown): Promise<T> {
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    throw invalid([{ path: '', message: 'must be a JSON object', malformed: true }]);
  }
  const { members, refused } = withoutInherited(plain);
  const instance = plainToInstance(Dto, members);
  const failures = await validate(instance, OPTIONS);
  const findings = [...refused, ...failures.flatMap((error) => findingsOf(error, '', Dto))];
  if (findings.length > 0) throw invalid(findings);
  return instance;
}

/** Checks every body and query that a handler declares with a class. */
@Injectable()
export class InputPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (type !== 'body' && type !== 'query') return value;
    if (!metatype || NOT_DECLARED.has(metatype)) return value;
    return parse(metatype as Class<object>, type === 'query' ? (value ?? {}) : value);
  }
}

const NOT_DECLARED = new Set<unknown>([String, Number, Boolean, Array, Object, Buffer]);

/** Names that every object inherits pass for known ones, in class-transformer and class-validator alike. */
function withoutInherited(plain: object): { members: object; refused: Finding[] } {
  const inherited = Object.keys(plain).filter((key) => key in Object.prototype);
  if (inherited.length === 0) return { members: plain, refused: [] };
  const own = Object.entries(plain).filter(([key]) => !inherited.includes(key));
  return {
    members: Object.fromEntries(own),
    refused: inherited.map((path) => ({ path, message: 'is not known here', malformed: true })),
  };
}

function invalid(findings: readonly Finding[]): Problem {
  const errors = findings.map(({ path, message }) => ({ path, message }));
  const detail = 'Each entry of "errors" names a field and what is wrong with it.';
  return findings.some(({ malformed }) => malformed)
    ? new Problem(400, 'malformed-input', 'The request cannot be understood', { detail, errors })
    : new Problem(422, 'invalid-input', 'Some values cannot be accepted', { detail, errors });
}

/** `dto` is the class of the object itself; the parts of it have no read-only fields. */
function findingsOf(error: ValidationError, parent: string, dto?: object): Finding[] {
  const path = parent === '' ? error.property : `${parent}.${error.property}`;
  const own = dto && isReadOnly(dto, error.property) ? readOnly(path) : ownFinding(error, path);
  if (own?.malformed) return [own];
  const ofChildren = (error.children ?? []).flatMap((child) => findingsOf(child, path));
  return own ? [own, ...ofChildren] : ofChildren;
}

function readOnly(path: string): Finding {
  return { path, message: 'is read-only', malformed: true };
}

/** The first thing that is wrong with a field, and that it cannot be read before all else. */
function ownFinding(error: ValidationError, path: string): Finding | undefined {
  const failed = Object.entries(error.constraints ?? {});
  const unreadable = failed.find(([check]) => isMalformed(check, error));
  const [check, text] = unreadable ?? failed[0] ?? [];
  if (check === undefined || text === undefined) return undefined;
  const missing = error.value === undefined || error.value === null;
  if (missing && check !== 'whitelistValidation') return { path, message: 'is required', malformed: false };
  const message = findingWords(check, text, error.property);
  return { path, message, malformed: unreadable !== undefined };
}

function isMalformed(check: string, { contexts }: ValidationError): boolean {
  const context = contexts?.[check] as { malformed?: boolean } | undefined;
  return TYPE_CHECKS.has(check) || context?.malformed === true;
}
