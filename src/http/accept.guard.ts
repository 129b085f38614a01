import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { SSE_METADATA } from '@nestjs/common/constants.js';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

/** The key under which `@ApiProduces` leaves its list; the package does not export it. */
const API_PRODUCES = 'swagger/apiProduces';
const JSON_TYPES = ['application/json', 'application/problem+json'];

/**
 * Answers 406 when the client accepts nothing that the route produces: JSON, unless it says something
 * else with `@ApiProduces` or is `@Sse`.
 */
@Injectable()
export class AcceptGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { accept } = context.switchToHttp().getRequest<FastifyRequest>().headers;
    if (!accept || accept.includes('*/*')) return true;
    const produced = producedBy(context.getHandler());
    if (acceptsOne(accept, produced)) return true;
    throw new Problem(406, 'not-acceptable', 'This cannot be answered in a form that you accept', {
      detail: `It is answered as ${produced.join(' or ')}.`,
    });
  }
}

function producedBy(handler: object): readonly string[] {
  if (Reflect.getMetadata(SSE_METADATA, handler)) return ['text/event-stream'];
  return (Reflect.getMetadata(API_PRODUCES, handler) as string[] | undefined) ?? JSON_TYPES;
}

function acceptsOne(accept: string, produced: readonly string[]): boolean {
  return accept.split(',').some((entry) => {
    const [range = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase());
    if (parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) return false;
    return produced.some(
      (type) => range === type || range === '*/*' || range === `${type.split('/')[0] ?? ''}/*`,
    );
  });
}
