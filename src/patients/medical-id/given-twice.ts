import { Injectable, Logger } from '@nestjs/common';
import type { ClientBase } from 'pg';
import { raiseAlert } from '../../alerts/raise-alert.js';
import { RecoverySteps } from '../../journal/recovery-steps.js';
import { DataRouter } from '../../routing/data-router.js';
import { Patient } from '../patient.entity.js';
import { MedicalIds } from './medical-ids.js';

const CONTEXT = {
  actor: 'medlink',
  actorName: 'MedLink',
  reason: 'The medical id belongs to a patient who came back after a restore',
};

/**
 * After a restore somebody may have been registered with the medical id of a patient who was lost: the same person
 * again, most likely. Two patients of a region cannot have one id, and the older one was known by it first, so the
 * newer one gets another; the history and an alert tell of it.
 */
@Injectable()
export class MedicalIdsGivenTwice {
  private readonly logger = new Logger(MedicalIdsGivenTwice.name);

  constructor(
    private readonly data: DataRouter,
    private readonly medicalIds: MedicalIds,
    steps: RecoverySteps,
  ) {
    steps.add((session) => this.replace(session));
  }

  private async replace(session: ClientBase): Promise<void> {
    const { rows } = await session.query<{ id: string }>(
      `SELECT DISTINCT p.id FROM patients p
       JOIN lost_entries l ON l.entity = 'patients' AND l.after ->> 'medical_id' = p.medical_id
       WHERE l.entity_id <> p.id`,
    );
    for (const { id } of rows) {
      await this.giveAnother(id);
      this.logger.warn(
        'A patient registered since the restore had the medical id of another, and has a new one',
      );
      const alert = { code: 'MEDICAL_ID_REPLACED', subject: `patient ${id}`, count: 1 } as const;
      await raiseAlert((sql, values) => session.query(sql, values), alert);
    }
  }

  private async giveAnother(id: string): Promise<void> {
    const medicalId = await this.medicalIds.next();
    await this.data.transaction(Patient, CONTEXT, async (manager) => {
      const patient = await manager.findOne(Patient, { where: { id }, lock: { mode: 'pessimistic_write' } });
      if (!patient) return;
      const version = patient.version + 1;
      await manager.save(
        Object.assign(patient, { medicalId, version, updatedAt: new Date(), updatedBy: CONTEXT.actor }),
      );
    });
  }
}
