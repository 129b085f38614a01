import { Readable } from 'node:stream';
import { type CsvError, parse } from 'csv-parse';
import { CreatePatient } from '../../patients/patient.dto.js';
import { checkFields } from '../check-fields.js';
import { badLine, type ImportLine, type Position } from '../import-line.js';
import { MAX_LINE, readLines } from '../reading/lines.js';
import { openBytes, type SourceFile } from '../reading/source-file.js';
import { UnusableFileError } from '../unusable-file.error.js';
import { headerProblems } from './columns.js';
import { mapRow } from './map-row.js';

interface Row {
  readonly record: readonly string[];
  /** `lines`: the line on which the record ends. */
  readonly info: { readonly lines: number };
}

export interface CsvReading {
  /** Names the sender where a row does not. */
  readonly source: string;
  readonly file: number;
  readonly count?: (bytes: number) => void;
}

/**
 * The rows of a CSV file (RFC 4180; with commas, or semicolons as French spreadsheets write). Throws
 * {@link UnusableFileError} when its header cannot be used, or a quotation mark is never closed.
 */
export async function* readCsv(file: SourceFile, reading: CsvReading): AsyncGenerator<ImportLine> {
  const delimiter = await delimiterOf(file);
  let header: readonly string[] | undefined;
  let end = 0;
  try {
    for await (const row of rowsOf(file, delimiter, reading)) {
      const line = firstLineOf(row, end);
      end = row.info.lines;
      if (header) yield await patientLine(header, row.record, { file: reading.file, line }, reading.source);
      else header = usableHeader(row.record, reading.file);
    }
  } catch (error) {
    throw isCsvError(error) ? endlessRecord(reading.file, end + 1, error) : error;
  }
  if (!header) throw new UnusableFileError(reading.file, 'it is empty');
}

async function* rowsOf(source: SourceFile, delimiter: string, reading: CsvReading): AsyncGenerator<Row> {
  const text = Readable.from(decoded(await openBytes(source.path, reading.count), reading.file));
  let problem: CsvError | undefined;
  const rows = parse({
    delimiter,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    max_record_size: MAX_LINE,
    skip_records_with_error: true,
    // Nothing after it is read, and what came before it is told first: an error of the stream would drop that.
    on_skip: (error) => {
      problem ??= error;
      text.unpipe(rows);
      rows.end();
    },
  });
  text.once('error', (error) => rows.destroy(error));
  yield* text.pipe(rows) as AsyncIterable<Row>;
  if (problem) throw problem;
}

/** Text of another encoding must not become names with question marks in them. */
async function* decoded(bytes: Readable, file: number): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (chunk?: Buffer) => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch (error) {
      throw new UnusableFileError(file, 'it is not UTF-8', { cause: error });
    }
  };
  for await (const chunk of bytes as AsyncIterable<Buffer>) yield decode(chunk);
  yield decode();
}

/** The one of the two that the header has more of. */
async function delimiterOf({ path }: SourceFile): Promise<string> {
  for await (const { bytes } of readLines(await openBytes(path))) {
    const header = bytes?.toString() ?? '';
    return header.split(';').length > header.split(',').length ? ';' : ',';
  }
  return ',';
}

/** A record may hold line ends in its cells. */
function firstLineOf({ record, info }: Row, previousEnd: number): number {
  const within = record.reduce((sum, cell) => sum + cell.split('\n').length - 1, 0);
  return Math.max(previousEnd + 1, info.lines - within);
}

function usableHeader(record: readonly string[], file: number): readonly string[] {
  const header = record.map((name) => name.trim());
  const problems = headerProblems(header);
  if (problems.length > 0) throw new UnusableFileError(file, `its header: ${problems.join('; ')}`);
  return header;
}

async function patientLine(
  header: readonly string[],
  cells: readonly string[],
  at: Position,
  source: string,
): Promise<ImportLine> {
  if (cells.length > header.length) return badLine(at, '', 'has more cells than the header');
  const { keys, fields, warnings } = mapRow(header, cells, source);
  const checked = await checkFields(CreatePatient, fields);
  if ('errors' in checked) return { kind: 'bad', at, errors: checked.errors };
  return { kind: 'patient', at, keys, fields: checked.fields, warnings };
}

function isCsvError(error: unknown): error is CsvError {
  return error instanceof Error && String((error as { code?: unknown }).code).startsWith('CSV_');
}

function endlessRecord(file: number, line: number, cause: CsvError): UnusableFileError {
  const problem = `what begins on line ${line} does not end: a quotation mark is missing, or the row is too long`;
  return new UnusableFileError(file, problem, { cause });
}
