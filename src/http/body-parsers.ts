import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.js';
import { STREAMED_TYPES, takesStream } from './streamed-body.decorator.js';
import { parseStrictJson } from './strict-json.js';

const JSON_TYPES = ['application/json', 'application/merge-patch+json'];

/** Which media types a body may have; every other is a 415. Merge patches (RFC 7396) are for `PATCH`. */
export function registerBodyParsers(instance: FastifyInstance): void {
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser(JSON_TYPES, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    const mediaType = request.headers['content-type'] ?? '';
    if (request.method !== 'PATCH' && /merge-patch/i.test(mediaType))
      throw unreadable('A merge patch is for PATCH.');
    done(null, parseStrictJson(body));
  });
  instance.addContentTypeParser(STREAMED_TYPES, (request, stream, done) => {
    if (!takesStream(request.routeOptions.config)) throw unreadable('Send application/json.');
    done(null, stream);
  });
}

function unreadable(detail: string): Problem {
  return new Problem(415, 'unsupported-media-type', 'The body is in a form that is not read here', {
    detail,
  });
}
