import { Injectable, Logger } from '@nestjs/common';
import type { Principal } from '../accounts/principal.js';
import { answeredByCentral } from '../http/central-patience.js';
import type { Page } from '../http/page.js';
import { patientNotFound } from '../patients/patient-access.js';
import { Patient } from '../patients/patient.entity.js';
import { findPatients } from '../patients/search/find-patients.js';
import type { PatientQuery } from '../patients/search/patient-query.dto.js';
import { DataRouter } from '../routing/data-router.js';
import { isForeign, refuseTellingFilters } from './foreign-patients.js';

/** Reads the patients of all regions, as far as central has them. */
@Injectable()
export class NationalPatientsReader {
  private readonly logger = new Logger('National');

  constructor(private readonly data: DataRouter) {}

  /**
   * Throws a `CentralUnavailableError` when central does not answer, and a 403 Problem for filters by
   * what `caller` does not see of other regions' patients.
   */
  async list(caller: Principal, query: PatientQuery): Promise<Page<Patient>> {
    refuseTellingFilters(caller, query);
    const page = await answeredByCentral(async () => findPatients(this.data.central(Patient), query, {}));
    this.audit(caller, page.items);
    return page;
  }

  /** Throws as {@link list} does, and a 404 Problem. */
  async get(caller: Principal, id: string): Promise<Patient> {
    const patient = await answeredByCentral(async () => this.data.central(Patient).findOneBy({ id }));
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
