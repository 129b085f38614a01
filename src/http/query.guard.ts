import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

/** By kind and position of a handler's parameter, what it takes: one value by its name, or without `data` all. */
type RouteArguments = Readonly<Record<string, { readonly data?: unknown }>>;

/**
 * Refuses with 400 a query that cannot be decoded, and parameters that the handler does not declare: a
 * filter that is silently ignored answers another question. What a handler takes as a class is checked by
 * the validation of that class.
 */
@Injectable()
export class QueryGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { url, query } = context.switchToHttp().getRequest<FastifyRequest>();
    if (!isDecodable(url)) throw undecodable();
    const known = namesTakenBy(context);
    const unknown = known ? Object.keys(query as object).filter((name) => !known.includes(name)) : [];
    if (unknown.length > 0) throw unknownParameters(unknown);
    return true;
  }
}

function isDecodable(url: string): boolean {
  const start = url.indexOf('?');
  if (start < 0 || !url.includes('%', start)) return true;
  try {
    return decodeURIComponent(url.slice(start)) !== '';
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

/** The parameters that the handler takes one by one; `undefined` when it takes them as a whole. */
function namesTakenBy(context: ExecutionContext): unknown[] | undefined {
  const metadata: unknown = Reflect.getMetadata(
    ROUTE_ARGS_METADATA,
    context.getClass(),
    context.getHandler().name,
  );
  const taken = Object.entries((metadata ?? {}) as RouteArguments)
    .filter(([kind]) => kind.startsWith(`${RouteParamtypes.QUERY}:`))
    .map(([, { data }]) => data);
  return taken.includes(undefined) ? undefined : taken;
}

function undecodable(): Problem {
  return new Problem(400, 'malformed-url', 'The URL cannot be understood', {
    detail: 'Its query is not percent-encoded UTF-8.',
  });
}

function unknownParameters(names: readonly string[]): Problem {
  return new Problem(400, 'malformed-input', 'The request cannot be understood', {
    detail: 'Each entry of "errors" names a query parameter that this path does not take.',
    errors: names.map((path) => ({ path, message: 'is not known here' })),
  });
}
