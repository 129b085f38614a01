import { Injectable } from '@nestjs/common';
import type { Principal } from '../accounts/principal.js';
import type { Page } from '../http/page.js';
import { DataRouter } from '../routing/data-router.js';
import { knownPatient, patientNotFound, regionScope } from './patient-access.js';
import { Patient } from './patient.entity.js';
import { findPatients } from './search/find-patients.js';
import type { PatientQuery } from './search/patient-query.dto.js';

/** Reads the node's own copy of the patients. */
@Injectable()
export class PatientsReader {
  constructor(private readonly data: DataRouter) {}

  /** The patients that `caller` may know of, see {@link findPatients}. */
  list(caller: Principal, query: PatientQuery): Promise<Page<Patient>> {
    return findPatients(this.data.forRead(Patient), query, regionScope(caller));
  }

  /** Throws a 404 Problem when there is none, or none that `caller` may know of. */
  async get(caller: Principal, id: string): Promise<Patient> {
    const patient = await knownPatient(this.data.forRead(Patient).manager, caller, id).getOne();
    if (!patient) throw patientNotFound();
    return patient;
  }
}
