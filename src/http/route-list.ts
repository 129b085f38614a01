import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

interface KnownRoute {
  readonly pattern: RegExp;
  readonly methods: readonly string[];
}

/** Every route of the application, to tell a wrong method from a wrong path. */
export type RouteList = readonly KnownRoute[];

/** A list that fills as routes are registered on `instance`. */
export function collectRoutes(instance: FastifyInstance): RouteList {
  const routes: KnownRoute[] = [];
  instance.addHook('onRoute', ({ method, url }) => {
    routes.push({ pattern: patternOf(url), methods: [method].flat() });
  });
  return routes;
}

/** The 405 problem for a path that exists with other methods; `undefined` for a path that does not. */
export function methodNotAllowed(routes: RouteList, { url, method }: FastifyRequest): Problem | undefined {
  const path = url.split(/[?#]/, 1)[0] ?? '';
  const methods = new Set(
    routes.filter(({ pattern }) => pattern.test(path)).flatMap((route) => route.methods),
  );
  if (methods.size === 0 || methods.has(method)) return undefined;
  return new Problem(405, 'method-not-allowed', 'This path does not take that method', {
    headers: { allow: [...methods].sort().join(', ') },
  });
}

function patternOf(url: string): RegExp {
  const source = url
    .split(/(:\w+|\*)/)
    .map((part) => (part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : part.replace(/[^\w/]/g, '\\$&')))
    .join('');
  return new RegExp(`^${source}$`);
}
