import { type FieldError, Problem } from '../../http/problem.js';
import { parseStrictJson } from '../../http/strict-json.js';
import { isJson, type Json } from '../fhir/resource.js';
import { badLine, type BadLine, type Position } from '../import-line.js';
import { readLines } from './lines.js';
import { openBytes, type SourceFile } from './source-file.js';

export interface ResourceLine {
  readonly kind: 'resource';
  readonly at: Position;
  readonly resource: Json;
}

/** One resource a line, as FHIR's bulk export writes them. Only lines with `containing` in them are looked at. */
export async function* readNdjson(
  source: SourceFile,
  file: number,
  { count, containing }: { count?: (bytes: number) => void; containing?: string },
): AsyncGenerator<ResourceLine | BadLine> {
  for await (const { number, bytes } of readLines(await openBytes(source.path, count))) {
    const at = { file, line: number };
    if (bytes === undefined) yield badLine(at, '', 'is longer than a mebibyte');
    else if (containing === undefined || bytes.includes(containing)) yield resourceOf(bytes, at);
  }
}

function resourceOf(bytes: Buffer, at: Position): ResourceLine | BadLine {
  try {
    const resource = parseStrictJson(bytes, 'line');
    return isJson(resource) ? { kind: 'resource', at, resource } : badLine(at, '', 'is not a JSON object');
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { kind: 'bad', at, errors: errorsOf(error) };
  }
}

/** What a problem says is wrong, field by field where it does. */
export function errorsOf({ errors, detail, title }: Problem): readonly FieldError[] {
  if (errors && errors.length > 0) return errors;
  return [{ path: '', message: detail ?? title }];
}
