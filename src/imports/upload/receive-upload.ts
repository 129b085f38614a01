import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../../http/problem.js';
import { STREAMED_TYPES } from '../../http/streamed-body.decorator.js';
import { type FileFormat, formatOfMediaType, type SourceFile } from '../reading/source-file.js';
import { receiveParts } from './receive-parts.js';

/** What one request may bring, all files together, as they are sent. Bytes. */
export const MAX_UPLOAD = 200 * 1024 * 1024;

export interface Upload {
  readonly files: readonly SourceFile[];
  /** The same for the same files. */
  readonly digest: string;
}

/**
 * Stores the body of a request in `folder`, which is made for it and is gone again when this rejects. A body
 * is one file; `multipart/form-data` brings several. Throws a {@link Problem}: 400, 413, 415 or 422.
 */
export async function receiveUpload(request: FastifyRequest, folder: string): Promise<Upload> {
  const { body } = request;
  if (!(body instanceof Readable)) throw unsupported();
  try {
    if (Number(request.headers['content-length'] ?? 0) > MAX_UPLOAD) throw tooLarge();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const storage = new UploadStorage(folder);
    const format = formatOfMediaType(request.headers['content-type'] ?? '');
    if (format) await storage.store(body, format);
    else await receiveParts(body, request.headers, storage);
    return storage.finish();
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    // Whoever is still sending sees the answer only when somebody takes what is sent.
    body.resume();
    throw request.raw.destroyed && !(error instanceof Problem) ? interrupted(error) : error;
  }
}

/** The files of one upload, in the order in which they come. */
class UploadStorage {
  private readonly files: SourceFile[] = [];
  private readonly hash = createHash('sha256');
  private total = 0;

  constructor(private readonly folder: string) {}

  async store(content: Readable, format: FileFormat): Promise<void> {
    const path = join(this.folder, String(this.files.length + 1));
    const before = this.total;
    const file = await open(path, 'wx', 0o600);
    try {
      // The stream is left open on failure: destroying it would cut the connection before the answer.
      for await (const chunk of content.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        this.total += chunk.length;
        if (this.total > MAX_UPLOAD) throw tooLarge();
        this.hash.update(chunk);
        await file.writeFile(chunk);
      }
    } finally {
      await file.close();
    }
    this.hash.update(`\0${format} ${this.total}\0`);
    this.files.push({ path, format, size: this.total - before });
  }

  finish(): Upload {
    if (this.total === 0)
      throw new Problem(422, 'empty-import', 'There is nothing to import', { detail: 'The body is empty.' });
    return { files: this.files, digest: this.hash.digest('base64url') };
  }
}

function tooLarge(): Problem {
  return new Problem(413, 'payload-too-large', 'The files are too large', {
    detail: `At most ${MAX_UPLOAD / 1024 / 1024} MiB at once. Compress them with gzip, or send them one by one.`,
  });
}

function unsupported(): Problem {
  return new Problem(415, 'unsupported-media-type', 'The body is in a form that is not read here', {
    detail: `Send ${STREAMED_TYPES.join(' or ')}.`,
  });
}

function interrupted(cause: unknown): Problem {
  return new Problem(400, 'upload-interrupted', 'The upload ended too early', { cause });
}
