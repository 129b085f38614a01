import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { In } from 'typeorm';
import { DataRouter } from '../routing/data-router.js';
import { type ImportFormat, ImportRun } from './import-run.entity.js';
import type { SourceFile } from './reading/source-file.js';

export interface NewRun {
  readonly id: string;
  readonly files: readonly SourceFile[];
  readonly runner: ImportRun['runner'];
  readonly actor: string;
}

/** A command that has given no sign of life for so long has ended without saying so. Minutes. */
const COMMAND_SILENCE = 5;
const INTERRUPTED =
  'It was interrupted by the end of the process that ran it. What was counted is imported; import the same again for the rest.';

/** The states of imports: queued, running, and then done or failed. */
@Injectable()
export class ImportRuns {
  constructor(private readonly data: DataRouter) {}

  async start(id: string): Promise<void> {
    const now = new Date();
    await this.change([id], { state: 'running', startedAt: now, progressAt: now });
  }

  async finish(id: string): Promise<void> {
    const run = await this.data.forRead(ImportRun).findOneByOrFail({ id });
    await this.change([id], { state: 'done', finishedAt: new Date(), bytesRead: run.bytesTotal });
  }

  /** `error` is for people and holds no value of a patient. */
  async fail(id: string, error: string): Promise<void> {
    await this.change([id], { state: 'failed', error, finishedAt: new Date() });
  }

  /** Imports whose process is gone are over. Call it before this process runs its first one. */
  async failInterrupted(): Promise<number> {
    const open = await this.data
      .forRead(ImportRun)
      .createQueryBuilder('run')
      .where({ state: In(['queued', 'running']) })
      .andWhere(`(run.runner = 'node' OR run.progressAt < now() - make_interval(mins => :silence))`, {
        silence: COMMAND_SILENCE,
      })
      .getMany();
    const interrupted = open.map(({ id }) => id);
    if (interrupted.length > 0)
      await this.change(interrupted, { state: 'failed', error: INTERRUPTED, finishedAt: new Date() });
    return interrupted.length;
  }

  private async change(ids: readonly string[], values: Partial<ImportRun>): Promise<void> {
    await this.data.forWrite(ImportRun).update({ id: In([...ids]) }, values);
  }
}

/** Adds an import that has not begun. */
export async function addRun(
  manager: EntityManager,
  { id, files, runner, actor }: NewRun,
): Promise<ImportRun> {
  const now = new Date();
  const run: ImportRun = {
    id,
    format: formatOf(files),
    runner,
    state: 'queued',
    error: null,
    total: 0,
    created: 0,
    updated: 0,
    unchanged: 0,
    skipped: 0,
    failed: 0,
    bytesRead: 0,
    bytesTotal: files.reduce((sum, file) => sum + file.size, 0),
    createdAt: now,
    createdBy: actor,
    startedAt: null,
    progressAt: now,
    finishedAt: null,
  };
  await manager.insert(ImportRun, run);
  return run;
}

function formatOf(files: readonly SourceFile[]): ImportFormat {
  const formats = new Set(files.map(({ format }) => format));
  return formats.size === 1 ? [...formats][0]! : 'mixed';
}
