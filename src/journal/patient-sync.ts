import { Injectable } from '@nestjs/common';
import { DataRouter } from '../routing/data-router.js';
import { Acknowledgement } from './acknowledgement.js';

/** The state that every answer about a patient carries in `X-Sync-State`. */
export type SyncState = 'synced' | 'pending' | 'disputed' | 'quarantined';

/** Whether central has all that this node has written about a patient, and whether people agree about it. */
@Injectable()
export class PatientSync {
  constructor(
    private readonly router: DataRouter,
    private readonly acknowledgement: Acknowledgement,
  ) {}

  async state(patientId: string): Promise<SyncState> {
    const [row] = await this.router.home.query<[PatientRow]>(STATE, [patientId]);
    if (row.held) return 'quarantined';
    if (row.disputed) return 'disputed';
    if (row.ahead) return 'pending';
    return Number(row.last ?? 0) > this.acknowledgement.current.seq ? 'pending' : 'synced';
  }
}

interface PatientRow {
  readonly last: string | null;
  readonly held: boolean;
  /** Changes wait until central has been upgraded. */
  readonly ahead: boolean;
  readonly disputed: boolean;
}

/** Central itself has nobody to send to: what its own journal says is the national state. */
const STATE = `
  SELECT (SELECT j.seq FROM journal j JOIN node ON node.code = j.origin AND node.code <> 'central'
          WHERE j.patient_id = $1 ORDER BY j.seq DESC LIMIT 1) AS last,
         EXISTS (SELECT FROM quarantined_lanes WHERE lane = $1 AND entries > 0)
         OR EXISTS (SELECT FROM quarantine WHERE lane = $1 AND state IN ('refused', 'waiting'))
         OR EXISTS (SELECT FROM stale_lanes WHERE lane = $1) AS held,
         EXISTS (SELECT FROM quarantined_lanes WHERE lane = $1 AND held > 0)
         OR EXISTS (SELECT FROM quarantine WHERE lane = $1 AND state = 'held') AS ahead,
         EXISTS (SELECT FROM conflicts WHERE patient_id = $1 AND state = 'open') AS disputed`;
