import type { Evidence } from '../evidence.js';
import type { Ledger } from '../ledger.js';
import { isDiscarded } from './values.js';

/** What was removed stays removed, unless a conflict asks about it; and nothing goes that nobody removed. */
export function checkRemovals(ledger: Ledger, { central, quarantine }: Evidence): string[] {
  return ledger.patients.flatMap((patientId) => {
    const writes = ledger.writesOf(patientId).filter((write) => !isDiscarded(write, quarantine));
    const isRemoved = writes.some(({ after }) => !after);
    const isThere = central.patients.has(patientId);
    if (!isRemoved && !isThere) return [`${patientId} is gone, and nobody removed it`];
    const isAsked = [...central.conflicts.values()].some(
      ({ kind, entity_id: id }) => kind === 'removal' && id === patientId,
    );
    if (isRemoved && isThere && !isAsked)
      return [`${patientId} was removed and is there, and nobody is asked`];
    return [];
  });
}
