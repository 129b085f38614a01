import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from '../observability/metrics.js';
import { REQUEST_ID_HEADER } from './request-id.js';

/** What may be kept by a browser: pages and scripts, which hold no patient. */
const CACHEABLE = /^\/(?:docs|console)\b/;
/** What machines ask all the time. */
const ROUTINE = /^\/(?:health|metrics)\b/;

/** The traces that every request leaves: its id and cache rule in the answer, one line in the log, one measurement. */
export function leaveTrail(instance: FastifyInstance, metrics: Metrics): void {
  instance.addHook('onRequest', (request, reply, done) => {
    // On the raw answer, so that streams, which bypass the reply, carry them too.
    reply.raw.setHeader(REQUEST_ID_HEADER, request.id);
    if (!CACHEABLE.test(request.url)) reply.raw.setHeader('cache-control', 'no-store');
    done();
  });
  instance.addHook('onResponse', (request, reply, done) => {
    const { url: route = 'unknown' } = request.is404 ? {} : request.routeOptions;
    metrics.requests.observe(
      { method: request.method, route, status: reply.statusCode },
      reply.elapsedTime / 1000,
    );
    writeLine(request, reply, route);
    done();
  });
}

/** The route's template, never the URL: a path holds ids, and a query holds names. */
function writeLine(request: FastifyRequest, reply: FastifyReply, route: string): void {
  const { user } = request as { user?: { id?: string } };
  const line = {
    method: request.method,
    route,
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
    user: user?.id,
  };
  if (ROUTINE.test(route)) request.log.debug(line, 'request');
  else request.log.info(line, 'request');
}
