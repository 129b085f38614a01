import { Injectable } from '@nestjs/common';
import { Acknowledgement } from '../journal/acknowledgement.js';
import { PatientSync } from '../journal/patient-sync.js';
import { DataRouter } from '../routing/data-router.js';
import type { PatientSyncDto } from './sync-status.dto.js';

const CHANGES = `
  SELECT count(*) FILTER (WHERE j.seq > $2)::int AS pending, max(j.at) FILTER (WHERE j.seq <= $2) AS synced,
         array_agg(DISTINCT node.code) AS hosts
  FROM journal j JOIN node ON node.code = j.origin
  WHERE j.patient_id = $1`;

/** How far one patient's changes have travelled. */
@Injectable()
export class PatientSyncReader {
  constructor(
    private readonly router: DataRouter,
    private readonly acknowledgement: Acknowledgement,
    private readonly sync: PatientSync,
  ) {}

  async read(patientId: string): Promise<PatientSyncDto> {
    const { seq } = this.acknowledgement.current;
    const rows = await this.router.home.query<
      { pending: number; synced: Date | null; hosts: string[] | null }[]
    >(CHANGES, [patientId, seq]);
    const { pending, synced, hosts } = rows[0]!;
    return {
      state: await this.sync.state(patientId),
      pendingChanges: pending,
      lastSyncedAt: synced,
      hosts: hosts ?? [],
      conflicts: [],
    };
  }
}
