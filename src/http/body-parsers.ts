import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.js';
import { parseStrictJson } from './strict-json.js';

const JSON_TYPES = ['application/json', 'application/merge-patch+json'];
/** Bodies of any length, which their routes read as a stream, line by line. */
const STREAMED_TYPES = ['application/x-ndjson', 'application/fhir+ndjson', 'text/csv'];

/** Which media types a body may have; every other is a 415. Merge patches (RFC 7396) are for `PATCH`. */
export function registerBodyParsers(instance: FastifyInstance): void {
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser(JSON_TYPES, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    const mediaType = request.headers['content-type'] ?? '';
    if (request.method !== 'PATCH' && /merge-patch/i.test(mediaType)) throw mergePatchElsewhere();
    done(null, parseStrictJson(body));
  });
  instance.addContentTypeParser(STREAMED_TYPES, (_request, stream, done) => done(null, stream));
}

function mergePatchElsewhere(): Problem {
  return new Problem(415, 'unsupported-media-type', 'A merge patch is for PATCH', {
    detail: 'Send application/json.',
  });
}
