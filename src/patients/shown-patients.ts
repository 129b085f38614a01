import { Injectable } from '@nestjs/common';
import type { Role } from '../accounts/roles.js';
import { OpenDisputes } from '../conflicts/open-disputes.js';
import { withUnions } from './disputed-patient.js';
import { visibleTo } from './patient-access.js';
import type { PatientView } from './patient.dto.js';
import type { Patient } from './patient.entity.js';

/** Patients as answers show them: without what a role may not see, and with both values of what is disputed. */
@Injectable()
export class ShownPatients {
  constructor(private readonly disputes: OpenDisputes) {}

  async show(role: Role, patients: readonly Patient[]): Promise<Partial<PatientView>[]> {
    const ids = patients.map(({ id }) => id);
    const open = await this.disputes.of('patients', ids, role);
    return patients.map((patient) => {
      const disputed = open.get(patient.id);
      return { ...visibleTo(role, withUnions(patient, disputed)), ...(disputed && { disputed }) };
    });
  }
}
