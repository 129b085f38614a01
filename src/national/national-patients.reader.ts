import { Injectable, Logger } from '@nestjs/common';
import type { Principal } from '../accounts/principal.js';
import type { Page } from '../http/page.js';
import { isDatabaseAway } from '../http/postgres-problem.js';
import { patientNotFound } from '../patients/patient-access.js';
import { Patient } from '../patients/patient.entity.js';
import { findPatients } from '../patients/search/find-patients.js';
import type { PatientQuery } from '../patients/search/patient-query.dto.js';
import { CentralUnavailableError, DataRouter } from '../routing/data-router.js';
import { isForeign, refuseTellingFilters } from './foreign-patients.js';

/** A central that accepts connections and never answers is as good as away. */
const PATIENCE_MS = 5_000;

/** Reads the patients of all regions, as far as central has them. */
@Injectable()
export class NationalPatientsReader {
  private readonly logger = new Logger('National');

  constructor(private readonly data: DataRouter) {}

  /**
   * Throws a {@link CentralUnavailableError} when central does not answer, and a 403 Problem for filters by
   * what `caller` does not see of other regions' patients.
   */
  async list(caller: Principal, query: PatientQuery): Promise<Page<Patient>> {
    refuseTellingFilters(caller, query);
    const page = await answered(async () => findPatients(this.data.central(Patient), query, {}));
    this.audit(caller, page.items);
    return page;
  }

  /** Throws as {@link list} does, and a 404 Problem. */
  async get(caller: Principal, id: string): Promise<Patient> {
    const patient = await answered(async () => this.data.central(Patient).findOneBy({ id }));
    if (!patient) throw patientNotFound();
    this.audit(caller, [patient]);
    return patient;
  }

  /** Who saw which patients of other regions. Their values are not told. */
  private audit({ id: actor, role, region }: Principal, seen: readonly Patient[]): void {
    const patients = seen.filter((patient) => isForeign({ region }, patient)).map(({ id }) => id);
    if (patients.length > 0)
      this.logger.log({ event: 'foreign-patients-read', actor, role, region, patients });
  }
}

/** Gone after it was open, central is told like one that never was there. */
async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await inTime(work);
  } catch (error) {
    throw isDatabaseAway(error) ? new CentralUnavailableError({ cause: error }) : error;
  }
}

function inTime<T>(work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new CentralUnavailableError()), PATIENCE_MS);
    work()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
