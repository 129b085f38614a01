import { Injectable } from '@nestjs/common';
import { DataRouter } from '../routing/data-router.js';
import { Acknowledgement } from './acknowledgement.js';

/** The state that every answer about a patient carries in `X-Sync-State`. */
export type SyncState = 'synced' | 'pending' | 'disputed' | 'quarantined';

/** Whether central has all that this node has written about a patient. */
@Injectable()
export class PatientSync {
  constructor(
    private readonly router: DataRouter,
    private readonly acknowledgement: Acknowledgement,
  ) {}

  async state(patientId: string): Promise<SyncState> {
    const rows = await this.router.home.query<{ seq: string }[]>(LAST_OWN_ENTRY, [patientId]);
    const last = Number(rows[0]?.seq ?? 0);
    return last > this.acknowledgement.current.seq ? 'pending' : 'synced';
  }
}

/** Central itself has nobody to send to: what its own journal says is the national state. */
const LAST_OWN_ENTRY = `
  SELECT j.seq FROM journal j JOIN node ON node.code = j.origin AND node.code <> 'central'
  WHERE j.patient_id = $1 ORDER BY j.seq DESC LIMIT 1`;
