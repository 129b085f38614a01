import type { FailureCode } from '../observability/failures/failure-codes.js';

/** A statement of the transaction had failed and nobody let that end it: PostgreSQL answered its COMMIT with a rollback. */
export class CommitRolledBackError extends Error {
  readonly code = 'COMMIT_ROLLED_BACK' satisfies FailureCode;

  constructor() {
    super('The transaction was rolled back at its commit, because a statement in it had failed');
    this.name = 'CommitRolledBackError';
  }
}
