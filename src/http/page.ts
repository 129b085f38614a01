import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import type { FastifyRequest } from 'fastify';
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
  @MaxLength(CURSOR_MAX)
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
function numberOf(value: unknown): unknown {
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
export function decodeCursor(text: string, length: number): unknown[] {
  const values = cursorValues(text);
  if (!Array.isArray(values) || values.length !== length || !values.every(isScalar)) throw badCursor();
  return values;
}

function cursorValues(text: string): unknown {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) throw badCursor();
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch (error) {
    throw badCursor(error);
  }
}

function isScalar(value: unknown): boolean {
  if (typeof value === 'string') return !value.includes('\0');
  return value === null || typeof value === 'number' || typeof value === 'boolean';
}

function badCursor(cause?: unknown): Problem {
  return new Problem(400, 'bad-cursor', 'The cursor is not one that this list gave', {
    detail: 'Start again without a cursor, and use each "nextCursor" as it is.',
    errors: [{ path: 'cursor', message: 'is not a cursor of this list' }],
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
