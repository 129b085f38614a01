/**
 * Why an embedded PostgreSQL cannot serve. Each code's remedy is in the message of the error that carries it.
 *
 * - `NO_BINARIES`: no PostgreSQL is packaged for this platform. Set DATABASE_*_URL to servers of your own.
 * - `NO_ACCOUNT`: running as root, and no unprivileged account exists or can be made to run PostgreSQL.
 * - `DATA_DIR_PERMISSION`: the data directory, or a file in it, belongs to someone else.
 * - `OTHER_MAJOR_VERSION`: the files were made by another major version of PostgreSQL: dump and restore.
 * - `PASSWORD_MISSING`: the cluster is there but the file with its password is not.
 * - `INIT_FAILED`, `START_FAILED`: PostgreSQL said why; its words are in the message and the log file.
 * - `LOCKED`: another process has been starting the same cluster for too long.
 */
export type EmbeddedErrorCode =
  | 'NO_BINARIES'
  | 'NO_ACCOUNT'
  | 'DATA_DIR_PERMISSION'
  | 'OTHER_MAJOR_VERSION'
  | 'PASSWORD_MISSING'
  | 'INIT_FAILED'
  | 'START_FAILED'
  | 'LOCKED';

/** An embedded PostgreSQL cannot serve. The message says what to do. */
export class EmbeddedError extends Error {
  constructor(
    readonly code: EmbeddedErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'EmbeddedError';
  }
}

/** The `code` of a system error such as ENOENT; `undefined` for any other value. */
export function systemCode(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
