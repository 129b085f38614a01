import { Injectable } from '@nestjs/common';
import type { Role } from '../accounts/roles.js';
import { DataRouter } from '../routing/data-router.js';
import { Conflict, type ConflictKind } from './conflict.entity.js';
import { knownFields, REMOVAL, sideView } from './conflict-view.js';
import { type DisputableTable, Disputables } from './disputable.js';
import type { DisputedSide } from './disputed-fields.js';

/** Two values of one field, while nobody has decided between them. */
export interface OpenDispute {
  readonly conflictId: string;
  readonly kind: ConflictKind;
  readonly regional: DisputedSide;
  readonly central: DisputedSide;
}

/** By property, or as {@link REMOVAL}: a field may be disputed with several regions. Never empty. */
export type DisputesOfRecord = Readonly<Record<string, readonly OpenDispute[]>>;

/** What a reader of records is to know of the conflicts that are open about them. */
@Injectable()
export class OpenDisputes {
  constructor(
    private readonly router: DataRouter,
    private readonly disputables: Disputables,
  ) {}

  /** What `role` may see of the open conflicts about records of a table, by the records' ids. */
  async of(
    entity: string,
    ids: readonly string[],
    role: Role,
  ): Promise<ReadonlyMap<string, DisputesOfRecord>> {
    const table = this.disputables.get(entity);
    if (!table || ids.length === 0) return new Map();
    const open = await this.router
      .forRead(Conflict)
      .createQueryBuilder('c')
      .where(`c.state = 'open' AND c.entity = :entity AND c.entity_id = ANY (:ids)`, { entity, ids })
      .orderBy('c.id')
      .getMany();
    const readable = table.readableBy(role);
    const disputes = ids.map((id) => {
      const conflicts = open.filter(({ entityId }) => entityId === id);
      return [id, disputesIn(conflicts, table, readable)] as const;
    });
    return new Map(disputes.filter(([, fields]) => Object.keys(fields).length > 0));
  }
}

function disputesIn(
  conflicts: readonly Conflict[],
  table: DisputableTable,
  readable: readonly string[],
): DisputesOfRecord {
  const disputes: Record<string, OpenDispute[]> = {};
  for (const conflict of conflicts) {
    for (const [name, dispute] of disputesOf(conflict, table, readable))
      (disputes[name] ??= []).push(dispute);
  }
  return disputes;
}

function disputesOf(
  conflict: Conflict,
  table: DisputableTable,
  readable: readonly string[],
): (readonly [string, OpenDispute])[] {
  const { id: conflictId, kind, fields } = conflict;
  if (kind === 'removal') return removalOf(conflict);
  return knownFields(conflict, table)
    .filter(({ property }) => readable.includes(property))
    .map((field) => {
      const { regional, central } = fields[field.column]!;
      const sides = { regional: sideView(field, regional), central: sideView(field, central) };
      return [field.property, { conflictId, kind, ...sides }];
    });
}

/** Of a removal everybody who sees the record is told, and of the fields nobody: they are not what is disputed. */
function removalOf({ id: conflictId, kind, fields }: Conflict): (readonly [string, OpenDispute])[] {
  const [field] = Object.values(fields);
  if (!field) return [];
  const [regional, central] = field.kept === 'regional' ? ['kept', 'removed'] : ['removed', 'kept'];
  const dispute = {
    regional: { ...field.regional, value: regional },
    central: { ...field.central, value: central },
  };
  return [[REMOVAL, { conflictId, kind, ...dispute }]];
}
