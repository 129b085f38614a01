import { Injectable } from '@nestjs/common';
import { changedAtCentral } from '../http/central-patience.js';
import type { Preconditions } from '../http/preconditions.js';
import { changePatient, type PatientChange } from '../patients/change-patient.js';
import { patchedFields } from '../patients/patient-changes.js';
import type { Patient } from '../patients/patient.entity.js';
import { DataRouter } from '../routing/data-router.js';
import { lockedPatient } from './locked-patient.js';

/** Changes patients at central, from where it goes to every region that has the file. */
@Injectable()
export class NationalPatientsWriter {
  constructor(private readonly data: DataRouter) {}

  /**
   * Merges `patch` into the patient. Gives the patient as central has it then. Throws a `CentralUnavailableError`,
   * a 404 Problem, and what `changePatient` and `patchedFields` throw.
   */
  patch(id: string, patch: unknown, by: PatientChange, preconditions: Preconditions): Promise<Patient> {
    return changedAtCentral(this.data, by.context, async (manager) => {
      const patient = await lockedPatient(manager, id);
      return changePatient(manager, patient, by, preconditions, (found) =>
        patchedFields(found, patch, by.caller.role),
      );
    });
  }
}
