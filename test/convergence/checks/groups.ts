import type { Holding } from '../evidence.js';
import type { Ledger } from '../ledger.js';
import type { Row } from '../values.js';

/** A birth date is never beside a precision that nobody has seen beside it. */
export function checkGroups(ledger: Ledger, holdings: readonly Holding[]): string[] {
  return holdings.flatMap(({ code, patients }) =>
    [...patients].flatMap(([patientId, row]) => {
      const seen = new Set(ledger.writesOf(patientId).flatMap(({ after }) => (after ? pair(after) : [])));
      return seen.has(pair(row))
        ? []
        : [`${code} has ${pair(row)} of ${patientId}, which nobody has entered`];
    }),
  );
}

const pair = (row: Row) => JSON.stringify([row.birth_date, row.birth_date_precision]);
