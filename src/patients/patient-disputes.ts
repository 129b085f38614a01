import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { readableGroups, type Role } from '../accounts/roles.js';
import { type Disputable, Disputables } from '../conflicts/disputable.js';
import { Problem } from '../http/problem.js';
import { refuseTakenMedicalId } from './change-patient.js';
import { fieldsInGroups } from './field-group.js';
import { decidedFields } from './patient-changes.js';
import { Patient } from './patient.entity.js';

/** Everybody who sees a patient sees their home region; nobody but a decision sets it. */
const HOME = 'region';

/** How conflicts about patients are shown and decided: by the rules of any change of a patient. */
@Injectable()
export class PatientDisputes implements Disputable<Patient> {
  readonly entity = Patient;

  constructor(disputables: Disputables) {
    disputables.register(this);
  }

  readableBy(role: Role): readonly string[] {
    const groups = readableGroups(role);
    return groups.length === 0 ? [] : [...fieldsInGroups(Patient, groups), HOME];
  }

  async accept(
    manager: EntityManager,
    patient: Patient,
    { [HOME]: home, ...wanted }: Readonly<Record<string, unknown>>,
  ): Promise<Partial<Patient>> {
    const changes = await decidedFields(patient, wanted);
    if (changes.medicalId !== undefined) await refuseTakenMedicalId(manager, changes.medicalId);
    return home === undefined || home === patient.region ? changes : { ...changes, region: regionOf(home) };
  }
}

function regionOf(value: unknown): string {
  if (typeof value === 'string' && /^[A-Z]{2,4}$/.test(value)) return value;
  throw new Problem(422, 'invalid-input', 'Some values cannot be accepted', {
    errors: [{ path: HOME, message: 'must be two to four capital letters' }],
  });
}
