import { Injectable } from '@nestjs/common';
import type { Page } from '../http/page.js';
import { patientNotFound } from '../patients/patient-access.js';
import { Patient } from '../patients/patient.entity.js';
import { findPatients } from '../patients/search/find-patients.js';
import type { PatientQuery } from '../patients/search/patient-query.dto.js';
import { CentralUnavailableError, DataRouter } from '../routing/data-router.js';

/** A central that accepts connections and never answers is as good as away. */
const PATIENCE_MS = 5_000;

/** Reads the patients of all regions, as far as central has them. */
@Injectable()
export class NationalPatientsReader {
  constructor(private readonly data: DataRouter) {}

  /** Throws a {@link CentralUnavailableError} when central does not answer. */
  list(query: PatientQuery): Promise<Page<Patient>> {
    return answered(async () => findPatients(this.data.central(Patient), query, {}));
  }

  /** Throws as {@link list} does, and a 404 Problem. */
  get(id: string): Promise<Patient> {
    return answered(async () => {
      const patient = await this.data.central(Patient).findOneBy({ id });
      if (!patient) throw patientNotFound();
      return patient;
    });
  }
}

function answered<T>(work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new CentralUnavailableError()), PATIENCE_MS);
    work()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
