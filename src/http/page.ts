import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { isCalendarDate } from './calendar-date.js';
import { MALFORMED } from './check.js';
import { Problem } from './problem.js';

const CURSOR_MAX = 2_000;

/** The query of every list. */
export class PageQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 200,
    default: 50,
    description: 'Items per page.',
  })
  @Transform(({ value }: { value: unknown }) => numberOf(value))
  @IsInt()
  @Min(1)
  @Max(200)
  limit: number = 50;

  @ApiPropertyOptional({ description: 'The `nextCursor` of the page before. Opaque.', maxLength: CURSOR_MAX })
  @IsOptional()
  @IsString()
  @MaxLength(CURSOR_MAX, { context: MALFORMED })
  cursor?: string;

  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    description: 'Adds `total`, the number of all items.',
  })
  @Transform(({ value }: { value: unknown }) => TRUTH[String(value)] ?? value)
  @IsBoolean()
  total: boolean = false;
}

/** Only what is written as a number is one: `Number('')` would be 0. */
export function numberOf(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d+(\.\d+)?(e\d+)?$/i.test(value) ? Number(value) : value;
}

const TRUTH: Readonly<Record<string, boolean | undefined>> = { true: true, false: false };

/** One page of a list. `nextCursor` is null on the last one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
  readonly total?: number;
}

/** The opaque form of the sort values of a page's last item. The values must survive JSON. */
export function encodeCursor(values: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** The `length` values of a cursor that {@link encodeCursor} made. Anything else is a 400 {@link Problem}. */
export function decodeCursor(text: string, length: number, path = 'cursor'): unknown[] {
  const values = cursorValues(text, path);
  if (!Array.isArray(values) || values.length !== length || !values.every(isScalar)) throw badCursor(path);
  return values;
}

function cursorValues(text: string, path: string): unknown {
  if (text.length > CURSOR_MAX || !/^[A-Za-z0-9_-]+$/.test(text)) throw badCursor(path);
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch (error) {
    throw badCursor(path, error);
  }
}

function isScalar(value: unknown): boolean {
  if (typeof value === 'string') return !value.includes('\0');
  return value === null || typeof value === 'number' || typeof value === 'boolean';
}

/**
 * The values of a cursor that are to become values of PostgreSQL's `types`: a forged one is refused here
 * rather than by the database. `path` names the parameter. Throws a 400 {@link Problem}.
 */
export function readCursor(text: string, types: readonly CursorType[], path = 'cursor'): string[] {
  const values = decodeCursor(text, types.length, path).map(String);
  if (!values.every((value, index) => FORMS[types[index]!](value))) throw badCursor(path);
  return values;
}

const FORMS = {
  uuid: (value: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value),
  integer: (value: string) => /^\d{1,9}$/.test(value),
  bigint: (value: string) => /^\d{1,18}$/.test(value),
  float8: (value: string) => /^\d{1,5}(\.\d+)?(e-\d+)?$/.test(value),
  date: isCalendarDate,
  timestamptz: (value: string) =>
    isCalendarDate(value.slice(0, 10)) &&
    /^.{10} ([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?\+00$/.test(value),
  text: () => true,
};
export type CursorType = keyof typeof FORMS;

/** The cursor is none, or of another list. */
export function badCursor(path = 'cursor', cause?: unknown): Problem {
  return new Problem(400, 'bad-cursor', 'The cursor is not one that this list gave', {
    detail: 'Start again without one. A cursor goes on with the same filters and the same order.',
    errors: [{ path, message: 'is not a cursor of this list' }],
    cause,
  });
}

/** The `Link` header (RFC 8288) that leads to the next page; `undefined` on the last one. */
export function linkHeader(
  request: Pick<FastifyRequest, 'url'>,
  nextCursor: string | null,
): string | undefined {
  if (nextCursor === null) return undefined;
  const url = new URL(request.url, 'http://localhost');
  url.searchParams.set('cursor', nextCursor);
  return `<${url.pathname}${url.search}>; rel="next"`;
}
