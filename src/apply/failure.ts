import { SchemaAheadError } from './refusal.js';
import { type FailureKind, kindOfState } from './sqlstate.js';

/** Whether to wait, or to put the change that failed into quarantine. */
export function failureKind(error: unknown): FailureKind {
  return error instanceof SchemaAheadError ? 'permanent' : kindOfState(codeOf(error));
}

/** SQLSTATE, Node's or MedLink's code, of the error or of what caused it; else the name of the error. */
export function codeOf(error: unknown): string {
  const { code, cause, name } = error as { code?: unknown; cause?: unknown; name?: string };
  if (typeof code === 'string') return code;
  return cause ? codeOf(cause) : (name ?? 'Error');
}
