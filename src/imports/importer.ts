import { Injectable } from '@nestjs/common';
import { type EntityManager, QueryFailedError } from 'typeorm';
import { Config } from '../config/config.js';
import { MedicalIds } from '../patients/medical-id/medical-ids.js';
import { Patient } from '../patients/patient.entity.js';
import type { ChangeContext } from '../routing/change-context.js';
import { DataRouter } from '../routing/data-router.js';
import type { Finding } from './findings.js';
import { type BatchReport, ImportProgress } from './import-progress.js';
import { badLine, type ImportLine } from './import-line.js';
import { batchesOfFiles, type ReadBatch } from './lines-of-files.js';
import { readInThread } from './reading/read-in-thread.js';
import type { SourceFile } from './reading/source-file.js';
import { writeAllergies } from './writing/allergy-batch.js';
import type { LineOutcome } from './writing/line-outcome.js';
import { writePatients } from './writing/patient-batch.js';

/** Lines that commit together. With 500 it was not faster, and clinicians wait longer for the rows that it holds. */
const BATCH = 200;
/** Files that are read and written sooner than a thread has started. Bytes. */
const SMALL = 128 * 1024;
/** Any number that no other lock has, the same for every process that imports into one database. */
const IMPORT_LOCK = 7_304_004;

export interface ImportOrder {
  readonly importId: string;
  readonly files: readonly SourceFile[];
  /** Names the sender where the files do not. */
  readonly source: string;
  readonly context: ChangeContext;
  /** Ends the import after the batch that is under way. */
  readonly signal: AbortSignal;
  /** Told after each batch, when it is committed. */
  readonly onProgress?: (progress: ImportProgress, findings: readonly Finding[]) => void;
}

/**
 * Imports files into the node's own database, in batches that commit whole: patients, journal entries, what
 * is reported and how far it came. What is imported twice changes nothing.
 */
@Injectable()
export class Importer {
  constructor(
    private readonly data: DataRouter,
    private readonly config: Config,
    private readonly medicalIds: MedicalIds,
  ) {}

  /** Rejects with `UnusableFileError`, with the signal's reason, or with what the database says. */
  async run(order: ImportOrder): Promise<ImportProgress> {
    const progress = new ImportProgress(order.importId);
    for await (const batch of batchesOf(order)) {
      progress.reach(batch);
      await this.commit(batch.lines, order, progress);
    }
    return progress;
  }

  /** One value that the database refuses must not keep the other lines of its batch out. */
  private async commit(
    lines: readonly ImportLine[],
    order: ImportOrder,
    progress: ImportProgress,
  ): Promise<void> {
    order.signal.throwIfAborted();
    try {
      await this.commitWhole(lines, order, progress);
    } catch (error) {
      if (!isRefusedValue(error)) throw error;
      for (const line of lines) await this.commitAlone(line, order, progress);
    }
  }

  private async commitAlone(line: ImportLine, order: ImportOrder, progress: ImportProgress): Promise<void> {
    try {
      await this.commitWhole([line], order, progress);
    } catch (error) {
      if (!isRefusedValue(error)) throw error;
      const refused = badLine(line.at, '', 'holds a value that the database refuses');
      await this.commitWhole([refused], order, progress);
    }
  }

  private async commitWhole(lines: readonly ImportLine[], order: ImportOrder, progress: ImportProgress) {
    const report = await this.data.transaction(
      Patient,
      order.context,
      async (manager): Promise<BatchReport> => {
        await manager.query('SELECT pg_advisory_xact_lock($1)', [IMPORT_LOCK]);
        const outcomes = await this.write(manager, lines, order.context.actor);
        const written = progress.report(outcomes);
        await progress.store(manager, written);
        return written;
      },
    );
    progress.add(report);
    order.onProgress?.(progress, report.findings);
  }

  private async write(
    manager: EntityManager,
    lines: readonly ImportLine[],
    actor: string,
  ): Promise<LineOutcome[]> {
    const registrar = {
      region: this.config.region,
      actor,
      nextMedicalId: () => this.medicalIds.next(),
    };
    const patients = lines.filter((line) => line.kind === 'patient');
    const allergies = lines.filter((line) => line.kind === 'allergy');
    const outcomes = [
      ...(await writePatients(manager, patients, registrar)),
      ...(await writeAllergies(manager, allergies, registrar)),
      ...lines.flatMap(outcomeWithoutWriting),
    ];
    return outcomes.sort((a, b) => a.line.at.file - b.line.at.file || a.line.at.line - b.line.at.line);
  }
}

function batchesOf({ files, source }: ImportOrder): AsyncGenerator<ReadBatch> {
  const reading = { files, source, batch: BATCH };
  const size = files.reduce((sum, file) => sum + file.size, 0);
  return size > SMALL ? readInThread(reading) : batchesOfFiles(reading);
}

function outcomeWithoutWriting(line: ImportLine): LineOutcome[] {
  if (line.kind === 'bad') return [{ line, result: 'failed' }];
  return line.kind === 'skipped' ? [{ line, result: 'skipped' }] : [];
}

/** Classes 22 (data), 23 (constraints) and 54 (limits): repeating would not help, leaving the line out does. */
function isRefusedValue(error: unknown): boolean {
  if (!(error instanceof QueryFailedError)) return false;
  const { code } = error.driverError as { code?: unknown };
  return typeof code === 'string' && /^(?:22|23|54)/.test(code);
}
