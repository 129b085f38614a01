import { readCsv } from './csv/read-csv.js';
import { readAllergies, readPatients } from './fhir/read-fhir.js';
import type { ImportLine } from './import-line.js';
import type { SourceFile } from './reading/source-file.js';

/** What is to be read. */
export interface Reading {
  readonly files: readonly SourceFile[];
  /** Names the sender where the files do not. */
  readonly source: string;
  /** Lines in a batch. */
  readonly batch: number;
}

/** Some lines, one after the other, and how far the files are read with them: bytes, as they are stored. */
export interface ReadBatch {
  readonly lines: readonly ImportLine[];
  readonly bytesRead: number;
  readonly bytesTotal: number;
}

/**
 * Every line of the files, checked, in batches. Rejects with `UnusableFileError`, or with what the disk says, when
 * all that could be read before is given.
 */
export async function* batchesOfFiles({ files, source, batch }: Reading): AsyncGenerator<ReadBatch> {
  const progress = { bytesRead: 0, bytesTotal: files.reduce((sum, file) => sum + file.size, 0) };
  let lines: ImportLine[] = [];
  try {
    for await (const line of linesOf(files, source, progress)) {
      lines.push(line);
      if (lines.length < batch) continue;
      yield { lines, ...progress };
      lines = [];
    }
  } catch (error) {
    if (lines.length > 0) yield { lines, ...progress };
    throw error;
  }
  if (lines.length > 0) yield { lines, ...progress };
}

/**
 * Allergies come after all patients, whatever the order of files and lines: what holds some is read a second
 * time for them, which needs no memory, and `bytesTotal` grows by it.
 */
async function* linesOf(
  files: readonly SourceFile[],
  source: string,
  progress: { bytesRead: number; bytesTotal: number },
): AsyncGenerator<ImportLine> {
  const count = (bytes: number) => {
    progress.bytesRead += bytes;
  };
  const withAllergies = new Set<SourceFile>();
  for (const [index, file] of files.entries()) {
    const reading = { source, file: index + 1, count };
    if (file.format === 'csv') yield* readCsv(file, reading);
    else yield* readPatients(file, { ...reading, postponed: () => withAllergies.add(file) });
  }
  for (const file of withAllergies) progress.bytesTotal += file.size;
  for (const [index, file] of files.entries()) {
    if (withAllergies.has(file)) yield* readAllergies(file, { source, file: index + 1, count });
  }
}
