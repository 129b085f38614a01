import type { EntityManager } from 'typeorm';
import type { Principal } from '../accounts/principal.js';
import { checkPreconditions, type Preconditions } from '../http/preconditions.js';
import { Problem } from '../http/problem.js';
import type { ChangeContext } from '../routing/change-context.js';
import { patientEtag } from './patient-access.js';
import type { PatientFields } from './patient.dto.js';
import { Patient } from './patient.entity.js';

/** Who asks for a change, and on whose account it is journaled. */
export interface PatientChange {
  readonly caller: Principal;
  readonly context: ChangeContext;
}

/** What a change makes of a patient's fields, as `patchedFields` and `replacedFields` find out. */
export type ChangeDecision = (patient: Patient) => Promise<Partial<PatientFields>>;

/**
 * Changes a patient whose row the transaction of `manager` has locked, and gives it as it is then. Without a
 * difference nothing is written. Throws a {@link Problem}: 412 and 428 as the preconditions say, 409 for a
 * medical id that is taken, and what `decide` throws.
 */
export async function changePatient(
  manager: EntityManager,
  patient: Patient,
  { caller, context }: PatientChange,
  preconditions: Preconditions,
  decide: ChangeDecision,
): Promise<Patient> {
  checkPreconditions(preconditions, patientEtag(caller.role, patient));
  const changes = await decide(patient);
  if (Object.keys(changes).length === 0) return patient;
  if (changes.medicalId !== undefined) await refuseTakenMedicalId(manager, changes.medicalId);
  const { actor: updatedBy } = context;
  Object.assign(patient, changes, { version: patient.version + 1, updatedAt: new Date(), updatedBy });
  return manager.save(patient);
}

/** Asked first because central's index accepts what two regions gave while apart. */
export async function refuseTakenMedicalId(manager: EntityManager, medicalId: string): Promise<void> {
  if (await manager.existsBy(Patient, { medicalId })) throw medicalIdTaken();
}

export function medicalIdTaken(cause?: unknown): Problem {
  return new Problem(409, 'medical-id-taken', 'Another patient has this medical id', {
    detail: 'Leave it out to have one generated.',
    errors: [{ path: 'medicalId', message: 'belongs to another patient' }],
    cause,
  });
}
