import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { Config } from '../config/config.js';
import { Host } from '../hosts/host.entity.js';
import { changedAtCentral } from '../http/central-patience.js';
import { type Answer, idempotent } from '../http/idempotency.js';
import type { PatientChange } from '../patients/change-patient.js';
import { DataRouter } from '../routing/data-router.js';
import { copyRegion, refuseUnusableRegion } from './copy-region.js';
import type { CopyState, CopyView, RequestCopy } from './copy.dto.js';
import { lockedPatient } from './locked-patient.js';

/** Whether the region's node has said that it has the entry that made it a host. */
const ARRIVED = `
  SELECT EXISTS (
    SELECT FROM journal j JOIN replication_peers p ON p.peer = $3 AND p.acknowledged_seq >= j.seq
    WHERE j.patient_id = $1 AND j.entity = 'hosts' AND j.entity_id = $2
  ) AS arrived`;

/** Brings patients' files to the regions that give care. */
@Injectable()
export class PatientCopies {
  constructor(
    private readonly data: DataRouter,
    private readonly config: Config,
  ) {}

  /**
   * Makes a region a host of the patient: 202, and from then on it is sent the whole file and every change. 200 when
   * it is one already. Throws a `CentralUnavailableError`, a 404 Problem, and what `copyRegion` and
   * `refuseUnusableRegion` throw.
   */
  request(id: string, wanted: RequestCopy, by: PatientChange, key?: string): Promise<Answer<CopyView>> {
    const { caller, context } = by;
    const nodeRegion = this.config.mode === 'central' ? undefined : this.config.region;
    const region = copyRegion(caller, wanted.region, nodeRegion);
    const route = `POST /api/v1/national/patients/${id}/copy`;
    const request = { actor: caller.id, key, route, body: wanted };
    return changedAtCentral(this.data, { ...context, reason: wanted.reason }, (manager) =>
      idempotent(manager, request, async () => {
        await lockedPatient(manager, id);
        await refuseUnusableRegion(manager, region, wanted.region !== undefined && caller.region === null);
        const host = await manager.findOneBy(Host, { patientId: id, region });
        if (host) return answer(200, { patientId: id, region, state: await stateOf(manager, host) });
        await manager.insert(Host, newHost(id, region, context.actor));
        return answer(202, { patientId: id, region, state: 'requested' });
      }),
    );
  }
}

function answer(status: number, body: CopyView): Answer<CopyView> {
  return { status, headers: { location: `/api/v1/patients/${body.patientId}` }, body };
}

async function stateOf(manager: EntityManager, { id, patientId, region, kind }: Host): Promise<CopyState> {
  if (kind === 'home') return 'home';
  const [row] = await manager.query<[{ arrived: boolean }]>(ARRIVED, [patientId, id, region]);
  return row.arrived ? 'arrived' : 'requested';
}

function newHost(patientId: string, region: string, createdBy: string): Host {
  return { id: uuidv7(), patientId, region, kind: 'copy', createdAt: new Date(), createdBy };
}
