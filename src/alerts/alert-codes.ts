import { ALERTING_FAILURES } from '../observability/failures/alerting-failures.js';

export type { Severity } from '../observability/failures/failure.js';

/** What calls for a person. The texts stand with those of all other failures. */
export const ALERTS = ALERTING_FAILURES;

export type AlertCode = keyof typeof ALERTS;
