import type { FailureCode } from '../observability/failures/failure-codes.js';

/** A statement that could not be journaled exactly. It was refused before it ran. */
export class UndescribableWriteError extends Error {
  readonly code = 'UNDESCRIBABLE_WRITE' satisfies FailureCode;

  /** `what` it was, without a value of it: it ends up in logs. */
  constructor(what: string, problem: string, remedy: string) {
    super(`${what} was refused because it cannot be journaled: ${problem}. ${remedy}`);
    this.name = 'UndescribableWriteError';
  }

  static of(table: string, problem: string, remedy: string): UndescribableWriteError {
    return new UndescribableWriteError(`A write to "${table}"`, problem, remedy);
  }
}
