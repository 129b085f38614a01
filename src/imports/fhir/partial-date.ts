import type { BirthDatePrecision } from '../../patients/patient.entity.js';

export interface PartialDate {
  /** The first day that it can be. */
  readonly birthDate: string;
  readonly birthDatePrecision: BirthDatePrecision;
}

/** `1987`, `1987-03` or `1987-03-14`. What has another form is handed on as it is, for the rules to refuse. */
export function partialDate(value: string): PartialDate {
  if (/^\d{4}$/.test(value)) return { birthDate: `${value}-01-01`, birthDatePrecision: 'year' };
  if (/^\d{4}-\d{2}$/.test(value)) return { birthDate: `${value}-01`, birthDatePrecision: 'month' };
  return { birthDate: value, birthDatePrecision: 'day' };
}
