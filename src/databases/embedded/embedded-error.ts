import type { EMBEDDED_FAILURES } from '../../observability/failures/start-failures.js';

/** Why an embedded PostgreSQL cannot serve. */
export type EmbeddedErrorCode = keyof typeof EMBEDDED_FAILURES;

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
