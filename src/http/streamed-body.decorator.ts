import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes, ApiExtension } from '@nestjs/swagger';

/** Media types of bodies of any length, read as they come. */
export const STREAMED_TYPES = [
  'application/fhir+ndjson',
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'text/csv',
  'multipart/form-data',
];

/** Schema and examples of a body, by media type: the decorators of OpenAPI know one for all of them. */
type BodyContent = Readonly<Record<string, { readonly schema: object; readonly examples?: object }>>;

/** Where a route leaves its {@link BodyContent} for the document. */
export const BODY_CONTENT = 'x-body-content';

/**
 * Lets a route take a body of {@link STREAMED_TYPES}, of any length: `request.body` is then the
 * `Readable` of its bytes. Every other route answers 415 to them. `content` is for the documentation.
 */
export function StreamedBody(content: BodyContent = {}): MethodDecorator {
  return applyDecorators(
    RouteConfig({ streamedBody: true }),
    ApiConsumes(...STREAMED_TYPES),
    ApiBody({ schema: { type: 'string', format: 'binary' } }),
    ApiExtension(BODY_CONTENT, content),
  );
}

/** Whether the route with this Fastify configuration takes its body as a stream. */
export function takesStream(config: object): boolean {
  return 'streamedBody' in config;
}
