/**
 * What to do about an error that the receiver's database gave.
 *
 * - `transient`: wait and try again; nothing is wrong with the change.
 * - `permanent`: this change can never be accepted as it is; it goes to quarantine.
 */
export type FailureKind = 'transient' | 'permanent';

/**
 * SQLSTATEs and classes that condemn the change itself. Everything else is waited for: connections (08),
 * deadlocks and serialization (40), a server without room or connections (53), locks (55), stops and timeouts
 * (57), the disk (58), read-only (25), and also tables or columns that the receiver lacks (42): that is a
 * difference of versions, which an upgrade ends. An error without SQLSTATE comes from the way to the server.
 *
 * | class | meaning |
 * |---|---|
 * | 21 | cardinality violation |
 * | 22 | data exception: a value that does not fit its column |
 * | 23 | integrity constraint violation |
 * | 44 | check option violation |
 * | P0 | raised by a trigger or function of the receiver |
 * | ML003 | the record to change or remove is not there |
 */
const PERMANENT = /^(21|22|23|44|P0)...$|^ML003$/;

export function failureKind(error: unknown): FailureKind {
  return PERMANENT.test(codeOf(error)) ? 'permanent' : 'transient';
}

/** SQLSTATE, Node's or MedLink's code, of the error or of what caused it; else the name of the error. */
export function codeOf(error: unknown): string {
  const { code, cause, name } = error as { code?: unknown; cause?: unknown; name?: string };
  if (typeof code === 'string') return code;
  return cause ? codeOf(cause) : (name ?? 'Error');
}
