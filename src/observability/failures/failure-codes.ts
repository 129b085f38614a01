import { ALERTING_FAILURES } from './alerting-failures.js';
import { EXCHANGE_FAILURES } from './exchange-failures.js';
import type { Failure } from './failure.js';
import { EMBEDDED_FAILURES, START_FAILURES } from './start-failures.js';
import { WRITE_FAILURES } from './write-failures.js';

/**
 * Every failure that an operator can meet, with what it means and what to do: the one place where these texts are. Errors
 * refer to it by their `code`; the API shows it, and the table in docs/operations.md is made of it (`npm run docs`).
 */
export const FAILURES = {
  ...START_FAILURES,
  ...EMBEDDED_FAILURES,
  ...EXCHANGE_FAILURES,
  ...ALERTING_FAILURES,
  ...WRITE_FAILURES,
} as const satisfies Record<string, Failure>;

export type FailureCode = keyof typeof FAILURES;

/** `undefined` for what others have named: SQLSTATEs, and the codes of Node that are not listed. */
export function failureOf(code: string): Failure | undefined {
  return (FAILURES as Readonly<Record<string, Failure>>)[code];
}
