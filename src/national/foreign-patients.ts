import type { Principal } from '../accounts/principal.js';
import { Problem } from '../http/problem.js';
import { fieldsInGroups } from '../patients/field-group.js';
import { visibleTo } from '../patients/patient-access.js';
import { Patient } from '../patients/patient.entity.js';
import type { PatientQuery } from '../patients/search/patient-query.dto.js';

type Caller = Pick<Principal, 'region' | 'role'>;

/** What recognises a person: enough to ask for a copy, and no more. */
const RECOGNISING: readonly string[] = [
  ...['id', 'region', 'version', 'createdAt', 'updatedAt'],
  ...fieldsInGroups(Patient, ['identity']).filter((field) => field !== 'nationalId'),
];

/** The filters that would tell what is not shown: whether somebody has this number, or lives there. */
const TELLING = ['nationalId', 'phone', 'near', 'radiusKm'] as const;

/** Whether `patient` belongs to another region than `caller`'s. To national callers nobody does. */
export function isForeign({ region }: Pick<Principal, 'region'>, patient: Pick<Patient, 'region'>): boolean {
  return region !== null && patient.region !== region;
}

/** `patient` as `caller` may see it from central: of another region, only what recognises the person. */
export function nationallyVisibleTo(caller: Caller, patient: Patient): Partial<Patient> {
  const visible = visibleTo(caller.role, patient);
  if (!isForeign(caller, patient)) return visible;
  return Object.fromEntries(Object.entries(visible).filter(([field]) => RECOGNISING.includes(field)));
}

/** Throws a 403 {@link Problem} when a regional caller filters by what is not shown of other regions' patients. */
export function refuseTellingFilters({ region }: Pick<Principal, 'region'>, query: PatientQuery): void {
  const telling = region === null ? [] : TELLING.filter((name) => query[name] !== undefined);
  if (telling.length === 0) return;
  throw new Problem(403, 'filters-not-allowed', 'Patients of other regions are not found by these', {
    detail: 'Look for names, birth date, sex or medical id here. GET /patients takes every filter.',
    errors: telling.map((path) => ({ path, message: 'may not be used over all regions' })),
  });
}
