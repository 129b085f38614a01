import type { FailureCode } from '../observability/failures/failure-codes.js';

/** A reason to hold a change set without trying it. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  /** The reason lasts for as long as one of these lanes is held. */
  readonly lanes?: readonly string[];
}

/** A large set that was found to reach a held lane. */
export const LANE_HELD = {
  code: 'LANE_HELD' satisfies FailureCode,
  message: 'One of its patients waits in quarantine',
} as const satisfies Refusal;

/** A change that a newer MedLink has made: it is applied by itself when the receiver has been upgraded. */
export const SCHEMA_AHEAD = {
  code: 'SCHEMA_AHEAD' satisfies FailureCode,
  message: 'Made by a newer version of MedLink: it waits until this side is upgraded',
} as const satisfies Refusal;

/** The same, for a receiver that has to give up what it is at. */
export class SchemaAheadError extends Error {
  readonly code = SCHEMA_AHEAD.code;

  constructor() {
    super(SCHEMA_AHEAD.message);
    this.name = 'SchemaAheadError';
  }
}
