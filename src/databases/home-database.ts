import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { migrate } from './migrate.js';
import { prepareDatabase } from './prepare-database.js';
import { reasonOf } from './reason-of.js';
import type { FailureCode } from '../observability/failures/failure-codes.js';

/** The node's own database does not answer. Remedy: start it, or correct its DATABASE_*_URL. */
export class HomeUnreachableError extends Error {
  readonly code = 'HOME_UNREACHABLE' satisfies FailureCode;

  constructor(url: string | undefined, cause: unknown) {
    const { host, pathname } = new URL(url ?? 'postgresql://');
    super(`This node's own database (${host}${pathname}) cannot be reached: ${reasonOf(cause)}`, { cause });
    this.name = 'HomeUnreachableError';
  }
}

/** Long enough for a server that was started together with this process. */
const PATIENCE_MS = 5_000;
const RETRY_MS = 250;
/** Refused, or the server says that it is starting or stopping. */
const NOT_YET = ['ECONNREFUSED', '57P03', '57P01'];

/** Migrates the node's own database and sees that it is this node's. Until then the node cannot serve. */
export async function prepareHome(options: PostgresDataSourceOptions, node: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      await prepareDatabase(options, { migrate, node });
      return;
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      if (!NOT_YET.includes(error.code) || Date.now() > deadline)
        throw new HomeUnreachableError(options.url, error);
      Logger.debug(`This node's own database is not ready yet (${error.code})`, 'HomeDatabase');
    }
    await pause(RETRY_MS);
  }
}

/** Failures to get a session: the network's, and those of PostgreSQL's classes 08, 28, 3D, 53 and 57. */
function isConnectionError(error: unknown): error is Error & { code: string } {
  const { code, message } = error as { code?: unknown; message?: string };
  if (typeof code === 'string') return /^(E[A-Z]+|(08|28|3D|53|57)...)$/.test(code);
  return /timeout expired|Connection terminated/.test(message ?? '');
}
