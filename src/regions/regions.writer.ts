import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { changedAtCentral } from '../http/central-patience.js';
import { type Answer, idempotent } from '../http/idempotency.js';
import { checkPreconditions, etagOf, type Preconditions } from '../http/preconditions.js';
import { Problem } from '../http/problem.js';
import type { ChangeContext } from '../routing/change-context.js';
import { DataRouter } from '../routing/data-router.js';
import { type NewRegion, type RegionChange, type RegionView, viewOf } from './region.dto.js';
import { Region } from './region.entity.js';
import { regionKey } from './region-key.js';
import { regionNotFound } from './regions.reader.js';

/** Writes regions at central, from where they go to every node. Throws a `CentralUnavailableError` without it. */
@Injectable()
export class RegionsWriter {
  private readonly logger = new Logger('Regions');

  constructor(private readonly data: DataRouter) {}

  /** The 201 answer, or under a repeated `key` the first one again. Throws a 409 {@link Problem}. */
  create(draft: NewRegion, context: ChangeContext, key?: string): Promise<Answer<RegionView>> {
    const request = { actor: context.actor, key, route: 'POST /api/v1/regions', body: draft };
    return changedAtCentral(this.data, context, (manager) =>
      idempotent(manager, request, async () => {
        const region = newRegion(draft, context);
        if (await manager.existsBy(Region, { code: region.code })) throw codeTaken();
        await manager.insert(Region, region);
        const headers = { location: `/api/v1/regions/${region.id}`, etag: etagOf(region.version) };
        return { status: 201, headers, body: viewOf(region, null) };
      }),
    );
  }

  /** Merges `change` into the region with this id or code. Throws a {@link Problem}: 404, 412, 428. */
  update(
    key: string,
    change: RegionChange,
    context: ChangeContext,
    preconditions: Preconditions,
  ): Promise<Region> {
    return changedAtCentral(this.data, context, async (manager) => {
      const region = await lock(manager, key);
      checkPreconditions(preconditions, etagOf(region.version));
      const { name = region.name, enabled = region.enabled } = change;
      if (name === region.name && enabled === region.enabled) return region;
      return manager.save(Region, { ...region, name, enabled, ...nextVersion(region, context) });
    });
  }

  /**
   * Lets another node take the code of the region, which `key` names by id or code. The change that the journal keeps is a new version of the region,
   * with who and why. Throws a {@link Problem}: 404, and 409 when no node has the code.
   */
  async release(key: string, context: ChangeContext, idempotencyKey?: string): Promise<Answer<RegionView>> {
    const { actor, reason, requestId } = context;
    const route = `POST /api/v1/regions/${key}/release`;
    const request = { actor, key: idempotencyKey, route, body: { reason } };
    const answer = await changedAtCentral(this.data, context, (manager) =>
      idempotent(manager, request, async () => {
        const region = await lock(manager, key);
        const [, released] = await manager.query<[unknown[], number]>(
          'DELETE FROM region_nodes WHERE region = $1',
          [region.code],
        );
        if (released === 0) throw notClaimed();
        // The next node has nothing yet.
        await manager.query('DELETE FROM replication_peers WHERE peer = $1', [region.code]);
        const saved = await manager.save(Region, { ...region, ...nextVersion(region, context) });
        return { status: 200, headers: { etag: etagOf(saved.version) }, body: viewOf(saved, null) };
      }),
    );
    if ('idempotency-replayed' in answer.headers) return answer;
    this.logger.warn({ event: 'region-released', region: answer.body.code, actor, requestId });
    return answer;
  }
}

function newRegion({ code, name }: NewRegion, { actor }: ChangeContext): Region {
  const now = new Date();
  return {
    ...{ id: uuidv7(), code, name, enabled: true, version: 1 },
    ...{ createdAt: now, updatedAt: now, createdBy: actor, updatedBy: actor },
  };
}

function nextVersion({ version }: Region, { actor }: ChangeContext) {
  return { version: version + 1, updatedAt: new Date(), updatedBy: actor };
}

/** The region, locked until the transaction ends. Throws a 404 {@link Problem}. */
async function lock(manager: EntityManager, key: string): Promise<Region> {
  const region = await manager.findOne(Region, {
    where: regionKey(key),
    lock: { mode: 'pessimistic_write' },
  });
  if (!region) throw regionNotFound();
  return region;
}

function codeTaken(): Problem {
  return new Problem(409, 'region-exists', 'There is a region with this code already', {
    errors: [{ path: 'code', message: 'belongs to another region' }],
  });
}

function notClaimed(): Problem {
  return new Problem(409, 'region-not-claimed', 'No node has this region’s code', {
    detail: 'The next node that comes to central with the code will have it.',
  });
}
