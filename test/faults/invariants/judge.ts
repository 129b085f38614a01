import { everyAnsweredWriteIsSomewhere, everyChangeTookEffectOnce } from './changes.js';
import { everyRecordInItsOrder, everyRefusalHasItsCause, everyTransactionWhole } from './changes.js';
import type { Evidence } from './evidence.js';
import { everyAnswerWasFair, everyChangeToldInFull, everyCopyEqual } from './records.js';
import { nothingComesBack, somethingSucceeded } from './records.js';

/** By invariant, what breaks it. Empty lists are good. */
export type Verdict = Readonly<Record<string, readonly string[]>>;

/** What must be true of any evidence that is gathered when the queues are empty. */
const INVARIANTS: Readonly<Record<string, (evidence: Evidence) => string[]>> = {
  'I1 every write answered 2xx is at central, pending or in quarantine': everyAnsweredWriteIsSomewhere,
  'I2 every change took effect once': everyChangeTookEffectOnce,
  'I3 per record, changes applied in their true order, none skipped': everyRecordInItsOrder,
  'I4 transactions are applied whole': everyTransactionWhole,
  'I5 every copy is equal on every node': everyCopyEqual,
  'I6 every replaced value is in the history with who, when, where, why': everyChangeToldInFull,
  'I7 what was deleted or rolled back does not come back': nothingComesBack,
  'every refusal has its cause': everyRefusalHasItsCause,
  'every answer was fair': everyAnswerWasFair,
  'something succeeded': somethingSucceeded,
};

export function judge(evidence: Evidence): Verdict {
  const judged = Object.entries(INVARIANTS).map(([name, invariant]) => listed(name, invariant(evidence)));
  return Object.assign({}, ...judged) as Verdict;
}

/** Enough to see what is wrong. */
const SHOWN = 5;

export function listed(name: string, violations: readonly string[]): Verdict {
  if (violations.length === 0) return {};
  const more = violations.length > SHOWN ? [`and ${violations.length - SHOWN} more`] : [];
  return { [name]: [...violations.slice(0, SHOWN), ...more] };
}
