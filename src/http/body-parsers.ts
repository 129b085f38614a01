import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from './problem.js';
import { STREAMED_TYPES, takesStream } from './streamed-body.decorator.js';
import { parseStrictJson } from './strict-json.js';

const JSON_TYPE = 'application/json';
const MERGE_PATCH_TYPE = 'application/merge-patch+json';

/** Which media types a body may have; every other is a 415. Merge patches (RFC 7396) are for `PATCH`. */
export function registerBodyParsers(instance: FastifyInstance): void {
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser(
    [JSON_TYPE, MERGE_PATCH_TYPE],
    { parseAs: 'buffer' },
    (request, body: Buffer, done) => {
      refuseOtherTypes(request);
      done(null, parseStrictJson(body));
    },
  );
  instance.addContentTypeParser(STREAMED_TYPES, (request, stream, done) => {
    refuseOtherTypes(request);
    done(null, stream);
  });
  instance.addContentTypeParser('*', (request: FastifyRequest) => {
    throw unreadable(typesOf(request));
  });
}

/** Throws a 415 {@link Problem} for a type that the route does not take, or a text that is not UTF-8. */
function refuseOtherTypes(request: FastifyRequest): void {
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '').toLowerCase().split(';');
  const types = typesOf(request);
  if (!types.includes(type.trim())) throw unreadable(types);
  const charset = parameters.map((parameter) => /^\s*charset\s*=\s*"?([^"]*?)"?\s*$/.exec(parameter)?.[1]);
  if (charset.some((name) => name !== undefined && !/^utf-?8$/.test(name)))
    throw unreadable(types, ' in UTF-8');
}

function typesOf({ method, routeOptions }: FastifyRequest): readonly string[] {
  if (takesStream(routeOptions.config)) return STREAMED_TYPES;
  return method === 'PATCH' ? [JSON_TYPE, MERGE_PATCH_TYPE] : [JSON_TYPE];
}

function unreadable(types: readonly string[], how = ''): Problem {
  return new Problem(415, 'unsupported-media-type', 'The body is in a form that is not read here', {
    detail: `Send ${types.join(' or ')}${how}.`,
  });
}
