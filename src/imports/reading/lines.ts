import type { Readable } from 'node:stream';

/** Longer than any patient; a file without line ends must not fill the memory. Bytes. */
export const MAX_LINE = 1024 * 1024;

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

export interface RawLine {
  /** Counts from 1, empty lines too. */
  readonly number: number;
  /** Without its end; `undefined` when it is longer than {@link MAX_LINE}. */
  readonly bytes: Buffer | undefined;
}

/** The lines of a file that hold more than white space, one after the other in constant memory. */
export async function* readLines(stream: Readable): AsyncGenerator<RawLine> {
  let number = 0;
  let parts: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer) => {
    length += part.length;
    if (length <= MAX_LINE) parts.push(part);
    else parts = [];
  };
  const end = (): RawLine | undefined => {
    number += 1;
    const line = { number, bytes: length > MAX_LINE ? undefined : content(Buffer.concat(parts), number) };
    parts = [];
    length = 0;
    return line.bytes?.length === 0 ? undefined : line;
  };
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, at));
      start = at + 1;
      const line = end();
      if (line) yield line;
    }
    add(chunk.subarray(start));
  }
  const last = length > 0 ? end() : undefined;
  if (last) yield last;
}

/** A byte order mark, a carriage return and surrounding blanks are not part of what a line says. */
function content(bytes: Buffer, number: number): Buffer {
  let start = number === 1 && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
  let end = bytes.length;
  while (start < end && isBlank(bytes[start]!)) start += 1;
  while (end > start && isBlank(bytes[end - 1]!)) end -= 1;
  return bytes.subarray(start, end);
}

const isBlank = (byte: number) => byte === 0x20 || byte === 0x09 || byte === 0x0d;
