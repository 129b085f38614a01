import { Injectable } from '@nestjs/common';
import { type EntityManager, In, type SelectQueryBuilder } from 'typeorm';
import type { Principal } from '../accounts/principal.js';
import { badCursor, encodeCursor, type Page, readCursor } from '../http/page.js';
import { Problem } from '../http/problem.js';
import { DataRouter } from '../routing/data-router.js';
import { Conflict } from './conflict.entity.js';
import type { ConflictDto } from './conflict.dto.js';
import type { ConflictQuery } from './conflict-query.dto.js';
import { withinScope } from './conflict-scope.js';
import { sortOf, type ConflictOrder } from './conflict-sorts.js';
import { conflictView } from './conflict-view.js';
import { type DisputableRecord, Disputables } from './disputable.js';

/** Reads the node's own copy of the conflicts. */
@Injectable()
export class ConflictsReader {
  constructor(
    private readonly router: DataRouter,
    private readonly disputables: Disputables,
  ) {}

  /** The conflicts that `caller` may know of. */
  async list(caller: Principal, query: ConflictQuery): Promise<Page<ConflictDto>> {
    const { manager } = this.router.forRead(Conflict);
    const matching = filtered(withinScope(manager.createQueryBuilder(Conflict, 'c'), caller), query);
    const total = query.total ? { total: await matching.clone().getCount() } : {};
    const order = sortOf(query.sort);
    if (query.cursor !== undefined) goOnAfter(matching, order, query.cursor);
    order.keys.forEach(({ expression }, index) => {
      matching.addSelect(`(${expression})`, `key${index}`);
      matching.addOrderBy(`key${index}`, order.descending ? 'DESC' : 'ASC');
      matching.addSelect(`(${expression})::text`, `cursor${index}`);
    });
    const { entities, raw } = await matching
      .limit(query.limit + 1)
      .getRawAndEntities<Record<string, string>>();
    const items = await this.views(manager, entities.slice(0, query.limit), caller);
    const last = entities.length > query.limit ? raw[query.limit - 1] : undefined;
    const values = last && [order.name, ...order.keys.map((_, index) => last[`cursor${index}`])];
    return { items, nextCursor: values ? encodeCursor(values) : null, ...total };
  }

  /** Throws a 404 Problem when there is none, or none that `caller` may know of. */
  async get(caller: Principal, id: string): Promise<ConflictDto> {
    const { manager } = this.router.forRead(Conflict);
    return this.view(manager, await knownConflict(manager, caller, id), caller);
  }

  async view(manager: EntityManager, conflict: Conflict, caller: Principal): Promise<ConflictDto> {
    const [view] = await this.views(manager, [conflict], caller);
    return view!;
  }

  private async views(
    manager: EntityManager,
    conflicts: readonly Conflict[],
    { role }: Principal,
  ): Promise<ConflictDto[]> {
    const records = await this.recordsOf(manager, conflicts);
    return conflicts.map((conflict) => {
      const table = this.disputables.get(conflict.entity);
      const readable = table?.readableBy(role) ?? [];
      return conflictView(conflict, { table, readable, record: records.get(conflict.entityId) });
    });
  }

  /** The disputed records as they are now, by id. */
  private async recordsOf(
    manager: EntityManager,
    conflicts: readonly Conflict[],
  ): Promise<ReadonlyMap<string, DisputableRecord>> {
    const found = new Map<string, DisputableRecord>();
    for (const name of new Set(conflicts.map(({ entity }) => entity))) {
      const table = this.disputables.get(name);
      const ids = conflicts.filter(({ entity }) => entity === name).map(({ entityId }) => entityId);
      if (!table) continue;
      for (const record of await manager.findBy(table.entity, { id: In(ids) })) found.set(record.id, record);
    }
    return found;
  }
}

/** Throws a 404 {@link Problem} for a conflict that `caller` may not know of. */
export async function knownConflict(
  manager: EntityManager,
  caller: Principal,
  id: string,
): Promise<Conflict> {
  const one = manager.createQueryBuilder(Conflict, 'c').where('c.id = :id', { id });
  const conflict = await withinScope(one, caller).getOne();
  if (!conflict) throw new Problem(404, 'not-found', 'There is no such conflict');
  return conflict;
}

function filtered(
  conflicts: SelectQueryBuilder<Conflict>,
  { state, severity, kind, region, patientId, openedBefore }: ConflictQuery,
): SelectQueryBuilder<Conflict> {
  const equal = { state, severity, kind, region, patient_id: patientId };
  for (const [column, value] of Object.entries(equal)) {
    if (value != null) conflicts.andWhere(`c.${column} = :${column}`, { [column]: value });
  }
  if (openedBefore != null) conflicts.andWhere('c.created_at < :openedBefore', { openedBefore });
  return conflicts;
}

function goOnAfter(
  conflicts: SelectQueryBuilder<Conflict>,
  { name, keys, descending }: ConflictOrder,
  cursor: string,
): void {
  const [sortedBy, ...values] = readCursor(cursor, ['text', ...keys.map(({ type }) => type)]);
  if (sortedBy !== name) throw badCursor();
  const row = keys.map(({ expression }) => expression).join(', ');
  const after = keys.map(({ type }, index) => `CAST(:after${index} AS ${type})`).join(', ');
  const parameters = Object.fromEntries(values.map((value, index) => [`after${index}`, value]));
  conflicts.andWhere(`(${row}) ${descending ? '<' : '>'} (${after})`, parameters);
}
