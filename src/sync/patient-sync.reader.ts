import { Injectable } from '@nestjs/common';
import { Acknowledgement } from '../journal/acknowledgement.js';
import { PatientSync } from '../journal/patient-sync.js';
import { DataRouter } from '../routing/data-router.js';
import type { PatientSyncDto } from './sync-status.dto.js';

const CHANGES = `
  SELECT count(*) FILTER (WHERE j.seq > $2)::int AS pending, max(j.at) FILTER (WHERE j.seq <= $2) AS synced
  FROM journal j JOIN node ON node.code = j.origin
  WHERE j.patient_id = $1`;

/** Without a host the file is where the patient was registered: see `hosts_open_homes`. */
const PLACES = `
  SELECT coalesce(
           (SELECT array_agg(region ORDER BY region) FROM hosts WHERE patient_id = $1),
           (SELECT ARRAY[j.origin] FROM journal j
            WHERE j.patient_id = $1 AND j.entity_id = $1 AND j.op = 'insert' AND j.origin <> 'central'
            ORDER BY j.seq LIMIT 1),
           (SELECT ARRAY[p.region] FROM patients p WHERE p.id = $1), '{}') AS hosts,
         coalesce((SELECT array_agg(id ORDER BY created_at, id) FROM conflicts
                   WHERE patient_id = $1 AND state = 'open'), '{}') AS conflicts`;

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
    const [{ pending, synced }] = await this.router.home.query<[{ pending: number; synced: Date | null }]>(
      CHANGES,
      [patientId, seq],
    );
    const [{ hosts, conflicts }] = await this.router.home.query<[{ hosts: string[]; conflicts: string[] }]>(
      PLACES,
      [patientId],
    );
    return {
      state: await this.sync.state(patientId),
      pendingChanges: pending,
      lastSyncedAt: synced,
      hosts,
      conflicts,
    };
  }
}
