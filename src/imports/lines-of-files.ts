import { readCsv } from './csv/read-csv.js';
import { readAllergies, readPatients } from './fhir/read-fhir.js';
import type { ImportLine } from './import-line.js';
import type { SourceFile } from './reading/source-file.js';

/** How far the files are read, in bytes as they are stored. */
export interface ReadingProgress {
  bytesRead: number;
  bytesTotal: number;
}

/**
 * Every line of the files. Allergies come after all patients, whatever the order of files and lines: what
 * holds some is read a second time for them, which needs no memory, and `bytesTotal` grows by it.
 */
export async function* linesOf(
  files: readonly SourceFile[],
  source: string,
  progress: ReadingProgress,
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
