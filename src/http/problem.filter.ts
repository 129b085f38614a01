import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from './problem.js';
import { problemOf } from './problem-of.js';
import { methodNotAllowed, type RouteList } from './route-list.js';
import { sendProblem } from './send-problem.js';
import type { StorageRoom } from './storage-room.js';

/** The one place where an error becomes an answer. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly routes: RouteList,
    private readonly room: StorageRoom,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = (request.is404 ? methodNotAllowed(this.routes, request) : undefined) ?? problemOf(error);
    this.room.noteAnswer(problem);
    record(error, problem, request);
    // A stream that breaks half-way: the status is out, so only the connection can tell.
    if (reply.raw.headersSent) reply.raw.destroy();
    else sendProblem(problem, request, reply);
  }
}

function record(error: unknown, problem: Problem, request: FastifyRequest): void {
  const status = problem.getStatus();
  if (status < 500) return;
  const entry = { err: error, problem: problem.type, route: request.routeOptions.url };
  if (status === 500) request.log.error(entry, 'Unexpected error');
  else request.log.warn(entry, problem.title);
}
