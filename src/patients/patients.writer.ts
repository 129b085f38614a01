import { Injectable } from '@nestjs/common';
import { type EntityManager, QueryFailedError } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import type { Principal } from '../accounts/principal.js';
import { OpenDisputes } from '../conflicts/open-disputes.js';
import { Config } from '../config/config.js';
import { openLane } from '../hosts/open-lane.js';
import { type Answer, idempotent } from '../http/idempotency.js';
import { checkPreconditions, type Preconditions } from '../http/preconditions.js';
import { DataRouter } from '../routing/data-router.js';
import {
  type ChangeDecision,
  changePatient,
  type PatientChange,
  medicalIdTaken,
  refuseTakenMedicalId,
} from './change-patient.js';
import { asStored, withUnions } from './disputed-patient.js';
import { MedicalIds } from './medical-id/medical-ids.js';
import {
  knownPatient,
  patientEtag,
  patientNotFound,
  refuseFieldsBeyond,
  visibleTo,
} from './patient-access.js';
import { patchedFields, replacedFields } from './patient-changes.js';
import { type CreatePatient, PATIENT_FIELDS, type PatientFields, settled } from './patient.dto.js';
import { Patient } from './patient.entity.js';

/** The name of the unique index that refuses a medical id given twice. */
const MEDICAL_ID_INDEX = 'patients_medical_id';
/** A generated id clashes only with one that a client made up in the same form. */
const ATTEMPTS = 5;

@Injectable()
export class PatientsWriter {
  constructor(
    private readonly data: DataRouter,
    private readonly medicalIds: MedicalIds,
    private readonly config: Config,
    private readonly disputes: OpenDisputes,
  ) {}

  /**
   * Registers a patient in the caller's region (for a national caller: the node's). The 201 answer, or
   * under a repeated `key` the first one again. Throws a {@link Problem}: 403 for fields beyond the
   * role, 409 for a medical id that is taken.
   */
  async create(draft: CreatePatient, by: PatientChange, key?: string): Promise<Answer<Partial<Patient>>> {
    refuseFieldsBeyond(
      by.caller.role,
      PATIENT_FIELDS.filter((field) => draft[field] !== undefined),
    );
    for (let attempt = 1; ; attempt++) {
      const patient = await this.newPatient(draft, by);
      try {
        return await this.insert(patient, draft, by, key);
      } catch (error) {
        if (!isMedicalIdClash(error)) throw error;
        if (draft.medicalId != null || attempt === ATTEMPTS) throw medicalIdTaken(error);
      }
    }
  }

  /** Replaces all that the caller may set. Gives the patient as it is then; see `replacedFields` for errors. */
  async replace(
    id: string,
    body: unknown,
    by: PatientChange,
    preconditions: Preconditions,
  ): Promise<Patient> {
    const { role } = by.caller;
    const disputes = (await this.disputes.of('patients', [id], role)).get(id);
    return this.change(id, by, preconditions, (patient) =>
      replacedFields(patient, asStored(body, patient, withUnions(patient, disputes)), role),
    );
  }

  /** Merges `patch` into the patient. Gives the patient as it is then; see `patchedFields` for errors. */
  patch(id: string, patch: unknown, by: PatientChange, preconditions: Preconditions): Promise<Patient> {
    return this.change(id, by, preconditions, (patient) => patchedFields(patient, patch, by.caller.role));
  }

  /** Removes the patient; the journal keeps the whole row. Throws a {@link Problem}: 404, 412, 428. */
  remove(id: string, by: PatientChange, preconditions: Preconditions): Promise<void> {
    return this.data.transaction(Patient, by.context, async (manager) => {
      const patient = await this.lock(manager, id, by.caller);
      checkPreconditions(preconditions, patientEtag(by.caller.role, patient));
      await manager.remove(patient);
    });
  }

  private async newPatient(draft: CreatePatient, { caller, context }: PatientChange): Promise<Patient> {
    const now = new Date();
    const fields = PATIENT_FIELDS.map((field) => [field, settled(field, draft[field])]);
    return {
      id: uuidv7(),
      ...(Object.fromEntries(fields) as PatientFields),
      medicalId: draft.medicalId ?? (await this.medicalIds.next()),
      region: caller.region ?? this.config.region,
      version: 1,
      createdAt: now,
      updatedAt: now,
      createdBy: context.actor,
      updatedBy: context.actor,
    };
  }

  private insert(patient: Patient, draft: CreatePatient, { caller, context }: PatientChange, key?: string) {
    const request = { actor: caller.id, key, route: 'POST /api/v1/patients', body: draft };
    return this.data.transaction(Patient, context, (manager) =>
      idempotent(manager, request, async () => {
        if (draft.medicalId != null) await refuseTakenMedicalId(manager, draft.medicalId);
        await manager.insert(Patient, patient);
        const headers = {
          location: `/api/v1/patients/${patient.id}`,
          etag: patientEtag(caller.role, patient),
          'x-sync-state': this.config.mode === 'central' ? 'synced' : 'pending',
        };
        return { status: 201, headers, body: visibleTo(caller.role, patient) };
      }),
    );
  }

  private async change(
    id: string,
    by: PatientChange,
    preconditions: Preconditions,
    decide: ChangeDecision,
  ): Promise<Patient> {
    return this.data.transaction(Patient, by.context, async (manager) => {
      const patient = await this.lock(manager, id, by.caller);
      return changePatient(manager, patient, by, preconditions, decide);
    });
  }

  /** The patient, locked until the transaction ends. Throws a 404 {@link Problem}. */
  private async lock(manager: EntityManager, id: string, caller: Principal): Promise<Patient> {
    if (this.config.mode === 'central') await openLane(manager, id);
    const patient = await knownPatient(manager, caller, id).setLock('pessimistic_write').getOne();
    if (!patient) throw patientNotFound();
    return patient;
  }
}

function isMedicalIdClash(error: unknown): boolean {
  if (!(error instanceof QueryFailedError)) return false;
  const { code, constraint } = error.driverError as { code?: string; constraint?: string };
  return code === '23505' && constraint === MEDICAL_ID_INDEX;
}
