import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { refuseUnusableKey } from './idempotency.js';

/** Judges the form of every `POST`'s `Idempotency-Key`, also where a retry would be harmless without it. */
@Injectable()
export class IdempotencyKeyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { method, headers } = context.switchToHttp().getRequest<FastifyRequest>();
    if (method === 'POST') refuseUnusableKey(headers['idempotency-key']);
    return true;
  }
}
