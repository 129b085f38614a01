import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Config } from '../config/config.js';
import { describeFailure, ImportStoppedError } from './import-failure.js';
import { ImportRuns } from './import-runs.js';
import { Importer, type ImportOrder } from './importer.js';

/** Where uploaded files wait for their import. They hold patients' data, and stay no longer than that. */
export function uploadFolder({ dataDir }: Pick<Config, 'dataDir'>): string {
  return join(dataDir, 'imports');
}

/** Runs the imports that clients asked this node for, one after the other, in the background. */
@Injectable()
export class ImportQueue implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Imports');
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly importer: Importer,
    private readonly runs: ImportRuns,
    private readonly config: Config,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await removeLeftUploads(uploadFolder(this.config));
    const interrupted = await this.runs.failInterrupted();
    if (interrupted > 0) this.logger.warn({ event: 'imports-interrupted', imports: interrupted });
  }

  /** The batch that is under way is finished; the rest can be imported again. */
  async onModuleDestroy(): Promise<void> {
    this.stopping.abort(new ImportStoppedError());
    await this.running;
  }

  /** Its files are removed when it is over. */
  add(order: Omit<ImportOrder, 'signal'>): void {
    this.running = this.running.then(() => this.run({ ...order, signal: this.stopping.signal }));
  }

  private async run(order: ImportOrder): Promise<void> {
    const { importId } = order;
    try {
      order.signal.throwIfAborted();
      await this.runs.start(importId);
      const { counts } = await this.importer.run(order);
      await this.runs.finish(importId);
      this.logger.log({ event: 'import-done', import: importId, ...counts });
    } catch (error) {
      await this.noteFailure(importId, error);
    } finally {
      await this.removeFiles(order);
    }
  }

  private async noteFailure(importId: string, error: unknown): Promise<void> {
    const { message, isExpected } = describeFailure(error);
    this.logger.warn(
      { event: 'import-failed', import: importId, reason: message },
      ...(isExpected ? [] : [error]),
    );
    try {
      await this.runs.fail(importId, message);
    } catch (failure) {
      // The next start of the node says it instead.
      this.logger.error('The state of a failed import could not be written', failure);
    }
  }

  private async removeFiles({ files }: ImportOrder): Promise<void> {
    try {
      for (const { path } of files) await rm(dirname(path), { recursive: true, force: true });
    } catch (error) {
      this.logger.error('The files of an import could not be removed', error);
    }
  }
}

/** What a process that was killed has left behind. Nothing else is removed, should the folder be somebody else's. */
async function removeLeftUploads(folder: string): Promise<void> {
  for (const name of await namesIn(folder))
    if (isUUID(name)) await rm(join(folder, name), { recursive: true, force: true });
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
