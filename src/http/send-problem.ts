import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from './problem.js';

/** Answers with the problem, completed by what the request says of itself: its path, and never its query. */
export function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  const body = { ...problem.body(), instance: pathOf(request), requestId: request.id };
  if (problem.getStatus() === 401) reply.header('www-authenticate', 'Bearer');
  reply
    .code(problem.getStatus())
    .headers(problem.headers)
    .header('cache-control', 'no-store')
    .header('content-type', 'application/problem+json')
    // As bytes: to a text of JSON Fastify adds a charset, which the media type does not have.
    .send(Buffer.from(JSON.stringify(body)));
}

function pathOf({ url }: FastifyRequest): string {
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}
