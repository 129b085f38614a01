import { isDeepStrictEqual } from 'node:util';
import {
  type CreatePatient,
  PATIENT_FIELDS,
  type PatientField,
  type PatientFields,
  settled,
} from '../../patients/patient.dto.js';

/** Nothing that somebody was warned of disappears because another source does not mention it. */
const ONLY_ADDED_TO = ['allergies', 'chronicConditions'] as const;

/**
 * What an import changes of a patient: the fields that the source has, where they differ. What it does not
 * mention stays as it is, and lists of clinical findings only grow.
 */
export function mergedFields(current: PatientFields, imported: CreatePatient): Partial<PatientFields> {
  const wanted = PATIENT_FIELDS.filter((field) => saysSomething(field, imported[field])).map(
    (field) => [field, settled(field, imported[field])] as const,
  );
  const fields = { ...Object.fromEntries(wanted), ...union(current, imported) };
  const differing = Object.entries(fields).filter(
    ([field, value]) => !isDeepStrictEqual(value, current[field as keyof PatientFields]),
  );
  return Object.fromEntries(differing);
}

function saysSomething(field: PatientField, value: unknown): boolean {
  return value !== undefined && value !== null && !(field === 'sex' && value === 'unknown');
}

function union(current: PatientFields, imported: CreatePatient): Partial<PatientFields> {
  const lists = ONLY_ADDED_TO.filter((field) => imported[field]).map((field) => [
    field,
    [...new Set([...current[field], ...imported[field]!])],
  ]);
  return Object.fromEntries(lists) as Partial<PatientFields>;
}
