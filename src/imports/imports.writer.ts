import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { uuidv7 } from 'uuidv7';
import type { Principal } from '../accounts/principal.js';
import { Config } from '../config/config.js';
import { type Answer, idempotent } from '../http/idempotency.js';
import type { ChangeContext } from '../routing/change-context.js';
import { DataRouter } from '../routing/data-router.js';
import { refuseImport } from './import-access.js';
import { type ImportView, viewOf } from './import.dto.js';
import { ImportQueue, uploadFolder } from './import-queue.js';
import { ImportRun } from './import-run.entity.js';
import { addRun } from './import-runs.js';
import { receiveUpload, type Upload } from './upload/receive-upload.js';

export interface ImportRequest {
  readonly request: FastifyRequest;
  readonly source: string;
  readonly caller: Principal;
  readonly context: ChangeContext;
  /** The `Idempotency-Key`. */
  readonly key: string | undefined;
}

@Injectable()
export class ImportsWriter {
  constructor(
    private readonly data: DataRouter,
    private readonly config: Config,
    private readonly queue: ImportQueue,
  ) {}

  /**
   * Stores what the request brings, and imports it in the background. The 202 answer, or under a repeated
   * key the first one again. Throws a `Problem`: 400, 403, 409, 413, 415 or 422.
   */
  async start(wanted: ImportRequest): Promise<Answer<ImportView>> {
    refuseImport(wanted.caller, this.config);
    const id = uuidv7();
    const folder = join(uploadFolder(this.config), id);
    const upload = await receiveUpload(wanted.request, folder);
    const answer = await this.registerOrForget(id, upload, wanted, folder);
    if (answer.body.id === id) this.enqueue(id, upload, wanted);
    else await rm(folder, { recursive: true, force: true });
    return answer;
  }

  private async registerOrForget(id: string, upload: Upload, wanted: ImportRequest, folder: string) {
    try {
      return await this.register(id, upload, wanted);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  private register(id: string, upload: Upload, wanted: ImportRequest): Promise<Answer<ImportView>> {
    const { caller, context, key, source } = wanted;
    const request = {
      actor: caller.id,
      key,
      route: 'POST /api/v1/imports',
      body: { source, digest: upload.digest },
    };
    return this.data.transaction(ImportRun, context, (manager) =>
      idempotent(manager, request, async () => {
        const run = await addRun(manager, { id, files: upload.files, runner: 'node', actor: caller.id });
        return { status: 202, headers: { location: `/api/v1/imports/${id}` }, body: viewOf(run) };
      }),
    );
  }

  private enqueue(importId: string, { files }: Upload, { source, context }: ImportRequest): void {
    this.queue.add({ importId, files, source, context: { ...context, reason: `Import ${importId}` } });
  }
}
