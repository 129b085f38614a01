import { Injectable } from '@nestjs/common';
import { LessThan, MoreThan } from 'typeorm';
import type { Principal } from '../accounts/principal.js';
import { Config } from '../config/config.js';
import { encodeCursor, type Page, type PageQuery, readCursor } from '../http/page.js';
import { Problem } from '../http/problem.js';
import { DataRouter } from '../routing/data-router.js';
import { maySeeImports } from './import-access.js';
import { findingViewOf, type ImportDetails, viewOf } from './import.dto.js';
import { ImportFinding } from './import-finding.entity.js';
import { ImportRun } from './import-run.entity.js';

const ERRORS_PER_PAGE = 100;

@Injectable()
export class ImportsReader {
  constructor(
    private readonly data: DataRouter,
    private readonly config: Config,
  ) {}

  /** The node's imports, newest first. */
  async list(caller: Principal, { limit, cursor, total }: PageQuery): Promise<Page<ImportRun>> {
    if (!maySeeImports(caller, this.config))
      throw new Problem(403, 'beyond-region', 'These are the imports of another region');
    const runs = this.data.forRead(ImportRun);
    const found = await runs.find({
      // Ids are in the order of time.
      where: cursor === undefined ? {} : { id: LessThan(readCursor(cursor, ['uuid'])[0]!) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
    const items = found.slice(0, limit);
    const nextCursor = found.length > limit ? encodeCursor([items.at(-1)!.id]) : null;
    return { items, nextCursor, ...(total ? { total: await runs.count() } : {}) };
  }

  /** An import and up to a hundred of its errors, in the order in which they were found. Throws a 404. */
  async get(caller: Principal, id: string, errorsCursor?: string): Promise<ImportDetails> {
    const after =
      errorsCursor === undefined ? 0 : Number(readCursor(errorsCursor, ['integer'], 'errorsCursor')[0]);
    const run = maySeeImports(caller, this.config)
      ? await this.data.forRead(ImportRun).findOneBy({ id })
      : null;
    if (!run) throw new Problem(404, 'not-found', 'There is no such import');
    const found = await this.data.forRead(ImportFinding).find({
      where: { importId: id, position: MoreThan(after) },
      order: { position: 'ASC' },
      take: ERRORS_PER_PAGE + 1,
    });
    const errors = found.slice(0, ERRORS_PER_PAGE);
    return {
      ...viewOf(run),
      errors: errors.map(findingViewOf),
      errorsCursor: found.length > ERRORS_PER_PAGE ? encodeCursor([errors.at(-1)!.position]) : null,
    };
  }
}
