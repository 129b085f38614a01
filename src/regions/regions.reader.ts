import { Injectable, Logger } from '@nestjs/common';
import { MoreThan } from 'typeorm';
import { answeredByCentral } from '../http/central-patience.js';
import { encodeCursor, type PageQuery, readCursor } from '../http/page.js';
import { Problem } from '../http/problem.js';
import { CentralUnavailableError, DataRouter } from '../routing/data-router.js';
import { type RegionPage, type RegionView, viewOf } from './region.dto.js';
import { Region } from './region.entity.js';
import { regionKey } from './region-key.js';
import { type KnownNodes, regionNodes } from './region-nodes.js';

/** The list is there without the nodes; nobody waits long for them. Milliseconds. */
const NODES_PATIENCE_MS = 2_000;

/** Reads the regions as this node has them, and asks central for the state of their nodes. */
@Injectable()
export class RegionsReader {
  private readonly logger = new Logger('Regions');

  constructor(private readonly data: DataRouter) {}

  /** By code. */
  async list({ limit, cursor, total }: PageQuery): Promise<RegionPage> {
    const regions = this.data.forRead(Region);
    const where = cursor === undefined ? {} : { code: MoreThan(readCursor(cursor, ['text'])[0]!) };
    const found = await regions.find({ where, order: { code: 'ASC' }, take: limit + 1 });
    const items = found.slice(0, limit);
    const nodes = await this.nodesOf(items);
    return {
      items: items.map((region) => viewOf(region, nodes?.byRegion.get(region.code) ?? null)),
      nextCursor: found.length > limit ? encodeCursor([items.at(-1)!.code]) : null,
      ...(total ? { total: await regions.count() } : {}),
      nodesKnownAt: nodes?.at ?? null,
    };
  }

  /** By id or code. Throws a 404 {@link Problem}. */
  async get(key: string): Promise<RegionView> {
    const region = await this.data.forRead(Region).findOneBy(regionKey(key));
    if (!region) throw regionNotFound();
    const nodes = await this.nodesOf([region]);
    return viewOf(region, nodes?.byRegion.get(region.code) ?? null);
  }

  private async nodesOf(regions: readonly Region[]): Promise<KnownNodes | undefined> {
    const codes = regions.map(({ code }) => code);
    try {
      return await answeredByCentral(
        async () => regionNodes(this.data.centralSource(), codes),
        NODES_PATIENCE_MS,
      );
    } catch (error) {
      if (!(error instanceof CentralUnavailableError)) throw error;
      this.logger.debug('Central cannot be asked for the state of the regions’ nodes');
      return undefined;
    }
  }
}

export function regionNotFound(): Problem {
  return new Problem(404, 'not-found', 'There is no such region');
}
