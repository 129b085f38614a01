import type { DisputesOfRecord } from '../conflicts/open-disputes.js';
import { sameText } from '../journal/same-text.js';
import type { Patient } from './patient.entity.js';

/** While these are disputed, readers see what either side has: an allergy that one of them knows of may kill. */
const SHOWN_AS_UNION = ['allergies', 'chronicConditions'] as const;

/** `patient` as readers see it while `disputes` are open. */
export function withUnions(patient: Patient, disputes: DisputesOfRecord | undefined): Patient {
  const unions = SHOWN_AS_UNION.flatMap((field) => {
    const open = disputes?.[field];
    if (!open) return [];
    const sides = open.flatMap(({ regional, central }) => [central.value, regional.value]);
    return [[field, unionOf([patient[field], ...sides])] as const];
  });
  return unions.length === 0 ? patient : { ...patient, ...Object.fromEntries(unions) };
}

/**
 * A document of fields in which what a reader saw stands for what is: who sends back the union as it was shown does
 * not mean to write it.
 */
export function asStored(sent: unknown, patient: Patient, shown: Patient): unknown {
  if (typeof sent !== 'object' || sent === null) return sent;
  const repeated = SHOWN_AS_UNION.filter(
    (field) =>
      patient[field] !== shown[field] && sameText((sent as Record<string, unknown>)[field], shown[field]),
  );
  return repeated.length === 0
    ? sent
    : { ...sent, ...Object.fromEntries(repeated.map((field) => [field, patient[field]])) };
}

function unionOf(lists: readonly unknown[]): string[] {
  const items = lists.flatMap((list) => (Array.isArray(list) ? (list as string[]) : []));
  return items.filter((item, index) => items.findIndex((other) => sameText(other, item)) === index);
}
