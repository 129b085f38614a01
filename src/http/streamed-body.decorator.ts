import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiConsumes } from '@nestjs/swagger';

/** Media types of bodies of any length, read as they come. */
export const STREAMED_TYPES = [
  'application/fhir+ndjson',
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'text/csv',
  'multipart/form-data',
];

/**
 * Lets a route take a body of {@link STREAMED_TYPES}, of any length: `request.body` is then the
 * `Readable` of its bytes. Every other route answers 415 to them.
 */
export function StreamedBody(): MethodDecorator {
  return applyDecorators(RouteConfig({ streamedBody: true }), ApiConsumes(...STREAMED_TYPES));
}

/** Whether the route with this Fastify configuration takes its body as a stream. */
export function takesStream(config: object): boolean {
  return 'streamedBody' in config;
}
