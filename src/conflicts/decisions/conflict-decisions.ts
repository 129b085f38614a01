import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Principal } from '../../accounts/principal.js';
import { Config } from '../../config/config.js';
import { openLane } from '../../hosts/open-lane.js';
import { type Answer, idempotent } from '../../http/idempotency.js';
import { checkPreconditions, etagOf, type Preconditions } from '../../http/preconditions.js';
import { Problem } from '../../http/problem.js';
import type { ChangeContext } from '../../routing/change-context.js';
import { DataRouter } from '../../routing/data-router.js';
import type { ConflictDto } from '../conflict.dto.js';
import { Conflict } from '../conflict.entity.js';
import { ConflictsReader, knownConflict } from '../conflicts.reader.js';
import { Disputables } from '../disputable.js';
import type { ReopeningDto, ResolutionDto } from './decision.dto.js';
import { type Dispute, settle } from './settle.js';

/** Who decides, on whose account it is journaled, and how the request may be repeated. */
export interface DecisionRequest {
  readonly caller: Principal;
  readonly context: ChangeContext;
  readonly preconditions: Preconditions;
  readonly key: string | undefined;
}

type Locked = Omit<Dispute, 'table'> & Partial<Pick<Dispute, 'table'>>;

/** What people decide of conflicts, on this node: a change like any other, which travels like all. */
@Injectable()
export class ConflictDecisions {
  constructor(
    private readonly router: DataRouter,
    private readonly disputables: Disputables,
    private readonly reader: ConflictsReader,
    private readonly config: Config,
  ) {}

  /**
   * Gives the disputed fields their values and closes the conflict, in one transaction. Throws a {@link Problem}: 404,
   * 412, 428, 409 when it is decided already, and as `settle` does.
   */
  resolve(id: string, resolution: ResolutionDto, by: DecisionRequest): Promise<Answer<ConflictDto>> {
    return this.change(id, 'resolve', resolution, by, async (manager, { table, ...dispute }) => {
      if (dispute.conflict.state !== 'open') throw alreadyDecided();
      if (!table) throw unknownEntity();
      const decisions = await settle(manager, { ...dispute, table }, resolution.fields, by.context);
      const { id: decidedBy, fullName: decidedByName, role: decidedRole } = by.caller;
      const decidedNode = this.config.mode === 'central' ? 'central' : this.config.region;
      const who = { decidedBy, decidedByName, decidedRole, decidedNode, decidedAt: new Date() };
      return { state: 'resolved', outcome: 'person', decisions, ...who };
    });
  }

  /** Opens a conflict again, whoever or whatever decided it. The values stay until it is decided. Throws as {@link resolve}. */
  reopen(id: string, reopening: ReopeningDto, by: DecisionRequest): Promise<Answer<ConflictDto>> {
    return this.change(id, 'reopen', reopening, by, async (_, { conflict }) => {
      if (conflict.state === 'open') throw openAlready();
      const nobody = { decidedBy: null, decidedByName: null, decidedRole: null, decidedNode: null };
      return { state: 'open', outcome: null, decisions: null, ...nobody, decidedAt: null };
    });
  }

  private change(
    id: string,
    action: string,
    body: ReopeningDto,
    { caller, context, preconditions, key }: DecisionRequest,
    decide: (manager: EntityManager, locked: Locked) => Promise<Partial<Conflict>>,
  ): Promise<Answer<ConflictDto>> {
    const { reason } = body;
    const request = { actor: caller.id, key, route: `POST /api/v1/conflicts/${id}/${action}`, body };
    return this.router.transaction(Conflict, { ...context, reason }, (manager) =>
      idempotent(manager, request, async () => {
        const locked = await this.lock(manager, id, caller);
        const { conflict } = locked;
        const before = await this.reader.view(manager, conflict, caller);
        checkPreconditions(preconditions, etagOf(before.version, before));
        const decided = await decide(manager, locked);
        const stamp = { version: conflict.version + 1, updatedAt: new Date(), updatedBy: context.actor };
        await manager.save(Object.assign(conflict, decided, { reason }, stamp));
        const view = await this.reader.view(manager, conflict, caller);
        return { status: 200, headers: { etag: etagOf(view.version, view) }, body: view };
      }),
    );
  }

  /** In the order in which all lock: the patient's lane at central, the record, the conflict. */
  private async lock(manager: EntityManager, id: string, caller: Principal): Promise<Locked> {
    const { entity, entityId, patientId } = await knownConflict(manager, caller, id);
    const knowsAll = this.config.mode === 'central';
    if (knowsAll) await openLane(manager, patientId);
    const table = this.disputables.get(entity);
    const lock = { mode: 'pessimistic_write' } as const;
    const record = table && (await manager.findOne(table.entity, { where: { id: entityId }, lock }));
    const conflict = await manager.findOneOrFail(Conflict, { where: { id }, lock });
    return { conflict, table, record: record ?? undefined, knowsAll };
  }
}

function alreadyDecided(): Problem {
  return new Problem(409, 'conflict-decided', 'The conflict is decided already', {
    detail: 'Reopen it first to decide otherwise.',
  });
}

function openAlready(): Problem {
  return new Problem(409, 'conflict-open', 'The conflict is open', { detail: 'It waits for a decision.' });
}

function unknownEntity(): Problem {
  return new Problem(409, 'entity-unknown', 'This node does not know records of this kind', {
    detail: 'It runs an older version than the one that recorded the conflict: upgrade it.',
  });
}
