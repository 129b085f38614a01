import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

export type FileFormat = 'ndjson' | 'csv';

/** A file on this machine that is to be imported. */
export interface SourceFile {
  readonly path: string;
  readonly format: FileFormat;
  /** Bytes, as they are stored. */
  readonly size: number;
}

/** How a file's name tells its format, compressed or not. `undefined`: it does not. */
export function formatOfName(name: string): FileFormat | undefined {
  const plain = name.toLowerCase().replace(/\.gz$/, '');
  if (plain.endsWith('.csv')) return 'csv';
  return /\.(?:fhir\.)?(?:ndjson|jsonl)$/.test(plain) ? 'ndjson' : undefined;
}

/** The format of a media type; `undefined` for one that brings parts. */
export function formatOfMediaType(type: string): FileFormat | undefined {
  if (/^\s*text\/csv\b/i.test(type)) return 'csv';
  return /^\s*application\/(?:(?:x-|fhir\+)?ndjson|jsonl)\b/i.test(type) ? 'ndjson' : undefined;
}

/**
 * The file's bytes, uncompressed when they are in gzip's format, whatever the name says. `count` is told
 * of every stored byte that was read.
 */
export async function openBytes(path: string, count?: (bytes: number) => void): Promise<Readable> {
  const compressed = await isGzip(path);
  const stored = createReadStream(path);
  stored.on('data', (chunk) => count?.(chunk.length));
  // The reader of the last stream sees the errors of the first.
  return compressed ? pipeline(stored, createGunzip(), () => undefined) : stored;
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}
