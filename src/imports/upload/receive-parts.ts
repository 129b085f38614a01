import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyFileStream, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import { Problem } from '../../http/problem.js';
import { type FileFormat, formatOfMediaType, formatOfName } from '../reading/source-file.js';

/** More than a bulk export of patients and allergies ever has. */
const MOST_FILES = 50;

interface PartStorage {
  store(content: Readable, format: FileFormat): Promise<void>;
}

/** Hands the files of a `multipart/form-data` body to `storage`. Throws a {@link Problem}: 400 or 415. */
export function receiveParts(
  body: Readable,
  headers: IncomingHttpHeaders,
  storage: PartStorage,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const parts = partsOf(headers);
    let stored = Promise.resolve();
    const fail = (error: Error) => {
      body.unpipe(parts);
      reject(error);
    };
    const refuse = (detail: string) => fail(malformed(detail));
    parts.on(
      'file',
      (_field: string, content: BusboyFileStream, name: string | undefined, _: string, type: string) => {
        // A part may break off before its turn has come.
        content.on('error', (error) => fail(malformed('It ends too early.', error)));
        stored = stored.then(() => storage.store(content, formatOfPart(name ?? '', type)));
        stored.catch(fail);
      },
    );
    parts.on('field', () => refuse('It may hold files only.'));
    parts.on('filesLimit', () => refuse(`It may hold ${MOST_FILES} files.`));
    parts.on('error', (error: unknown) => fail(malformed('Its parts cannot be told apart.', error)));
    parts.on('finish', () => void stored.then(resolve, fail));
    body.once('error', fail);
    body.pipe(parts);
  });
}

function partsOf(headers: IncomingHttpHeaders): BusboyInstance {
  try {
    return new Busboy({ headers: headers as BusboyHeaders, limits: { files: MOST_FILES } });
  } catch (error) {
    throw malformed('It has no boundary.', error);
  }
}

function formatOfPart(name: string, type: string): FileFormat {
  const format = formatOfName(name) ?? formatOfMediaType(type);
  if (format) return format;
  throw new Problem(415, 'unsupported-media-type', 'A file is in a form that is not read here', {
    detail: 'Files are named .ndjson, .jsonl or .csv, with .gz when they are compressed.',
  });
}

function malformed(detail: string, cause?: unknown): Problem {
  return new Problem(400, 'malformed-request', 'The multipart body cannot be understood', { detail, cause });
}
