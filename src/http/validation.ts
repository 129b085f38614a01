import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validate, type ValidationError, type ValidatorOptions } from 'class-validator';
import { type FieldError, Problem } from './problem.js';

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

const MESSAGES: Readonly<Record<string, string>> = {
  whitelistValidation: 'is not known here',
  unknownValue: 'must be an object',
  nestedValidation: 'must be an object, or a list of objects',
};

interface Finding extends FieldError {
  readonly malformed: boolean;
}

/**
 * Turns `plain` into an instance of `Dto` and checks it with the validators of its properties.
 * Throws a {@link Problem} that names every bad field: 400 when one has the wrong JSON type or is
 * unknown, otherwise 422.
 */
export async function parse<T extends object>(Dto: Class<T>, plain: unknown): Promise<T> {
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    throw invalid([{ path: '', message: 'must be a JSON object', malformed: true }]);
  }
  const instance = plainToInstance(Dto, plain);
  const failures = await validate(instance, OPTIONS);
  const findings = [...skippedKeys(plain), ...failures.flatMap((error) => findingsOf(error, ''))];
  if (findings.length > 0) throw invalid(findings);
  return instance;
}

/** Checks every body and query that a handler declares with a class. */
@Injectable()
export class InputPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (type !== 'body' && type !== 'query') return value;
    if (!metatype || NOT_DECLARED.has(metatype)) return value;
    return parse(metatype as Class<object>, value === undefined ? {} : value);
  }
}

const NOT_DECLARED = new Set<unknown>([String, Number, Boolean, Array, Object, Buffer]);

/** class-transformer leaves these out in silence, and so they would never be found unknown. */
function skippedKeys(plain: object): Finding[] {
  return ['__proto__', 'constructor']
    .filter((key) => Object.hasOwn(plain, key))
    .map((path) => ({ path, message: 'is not known here', malformed: true }));
}

function invalid(findings: readonly Finding[]): Problem {
  const errors = findings.map(({ path, message }) => ({ path, message }));
  const detail = 'Each entry of "errors" names a field and what is wrong with it.';
  return findings.some(({ malformed }) => malformed)
    ? new Problem(400, 'malformed-input', 'The request cannot be understood', { detail, errors })
    : new Problem(422, 'invalid-input', 'Some values cannot be accepted', { detail, errors });
}

function findingsOf(error: ValidationError, parent: string): Finding[] {
  const path = parent === '' ? error.property : `${parent}.${error.property}`;
  const own = ownFindings(error, path);
  return [...own, ...(error.children ?? []).flatMap((child) => findingsOf(child, path))];
}

function ownFindings(error: ValidationError, path: string): Finding[] {
  const failed = Object.entries(error.constraints ?? {});
  if (failed.length === 0) return [];
  const missing = error.value === undefined || error.value === null;
  if (missing && !failed.some(([check]) => check === 'whitelistValidation')) {
    return [{ path, message: 'is required', malformed: false }];
  }
  const wrongType = failed.filter(([check]) => TYPE_CHECKS.has(check) || isUnknownName(check, error));
  if (wrongType.length === 0)
    return failed.map(([, text]) => ({ path, message: withoutName(text, error), malformed: false }));
  return wrongType.map(([check, text]) => ({
    path,
    message: MESSAGES[check] ?? withoutName(text, error),
    malformed: true,
  }));
}

/** A `sort` that is not in its list names something that is not there, like an unknown property. */
function isUnknownName(check: string, { property }: ValidationError): boolean {
  return property === 'sort' && check === 'isIn';
}

/** "phone must be a string" is about `phone` already: the path says so. */
function withoutName(text: string, { property }: ValidationError): string {
  return text.startsWith(`${property} `) ? text.slice(property.length + 1) : text;
}
