import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import type { Principal } from '../accounts/principal.js';
import { readableGroups, type Role, writableGroups } from '../accounts/roles.js';
import { isKnownIn, PATIENT_P } from '../hosts/known-in-region.js';
import { etagOf } from '../http/preconditions.js';
import { Problem } from '../http/problem.js';
import { fieldsInGroups, groupedFields } from './field-group.js';
import { Patient } from './patient.entity.js';

/** What keeps a regional caller to the patients whose home their region is, or whose file it holds. */
export function regionScope({ region }: Pick<Principal, 'region'>): { region?: string } {
  return region === null ? {} : { region };
}

/** The patient with this id, unless `caller` may not know of it. */
export function knownPatient(
  manager: EntityManager,
  caller: Pick<Principal, 'region'>,
  id: string,
): SelectQueryBuilder<Patient> {
  const one = manager.createQueryBuilder(Patient, 'p').where('p.id = :id', { id });
  const { region } = regionScope(caller);
  return region === undefined ? one : one.andWhere(isKnownIn(':region', PATIENT_P), { region });
}

/** The entity tag of `patient` as `role` sees it. */
export function patientEtag(role: Role, patient: Patient): string {
  return etagOf(patient.version, visibleTo(role, patient));
}

/** `patient` without the fields that `role` may not see. */
export function visibleTo(role: Role, patient: Patient): Partial<Patient> {
  const readable = fieldsInGroups(Patient, readableGroups(role));
  const hidden = new Set(groupedFields(Patient).filter((field) => !readable.includes(field)));
  return Object.fromEntries(Object.entries(patient).filter(([field]) => !hidden.has(field)));
}

export function mayRead(role: Role, field: string): boolean {
  return fieldsInGroups(Patient, readableGroups(role)).includes(field);
}

export function mayWrite(role: Role, field: string): boolean {
  return fieldsInGroups(Patient, writableGroups(role)).includes(field);
}

/** Throws a 403 {@link Problem} that names the fields of `fields` that `role` may not set. */
export function refuseFieldsBeyond(role: Role, fields: readonly string[]): void {
  const refused = fields.filter((field) => !mayWrite(role, field));
  if (refused.length === 0) return;
  throw new Problem(403, 'fields-not-allowed', 'Your role may not set some of these fields', {
    detail: 'Each entry of "errors" names a field that was not changed. Nothing else was changed either.',
    errors: refused.map((path) => ({ path, message: 'may not be set by your role' })),
  });
}

export function patientNotFound(): Problem {
  return new Problem(404, 'not-found', 'There is no such patient');
}
