import { Injectable } from '@nestjs/common';
import type { EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import type { Role } from '../accounts/roles.js';
import { mergeRuleOf } from '../journal/merge-rule.js';
import type { EntityClass } from '../routing/connection-router.js';
import { DataRouter } from '../routing/data-router.js';

/** A record that people may disagree about. */
export interface DisputableRecord extends ObjectLiteral {
  id: string;
  version: number;
  updatedAt: Date;
  updatedBy: string;
}

/** What the module that owns an entity says of it, so that conflicts about its records can be shown and decided. */
export interface Disputable<E extends DisputableRecord = DisputableRecord> {
  readonly entity: EntityClass<E>;
  /** The properties that `role` may see. */
  readableBy(role: Role): readonly string[];
  /**
   * What of `wanted` (by property, as JSON has it) changes `record`, by the same rules as any change of it. Throws
   * a 422 Problem whose paths are properties, or a 409.
   */
  accept(manager: EntityManager, record: E, wanted: Readonly<Record<string, unknown>>): Promise<Partial<E>>;
}

/** A column as the API shows it. */
export interface DisputableField {
  readonly column: string;
  readonly property: string;
  /** Whether JSON has it as an instant. */
  readonly instant: boolean;
  /** Fields of one group are decided together. */
  readonly group: string | undefined;
}

export interface DisputableTable extends Disputable {
  readonly metadata: EntityMetadata;
  readonly fields: readonly DisputableField[];
}

/** The entities that conflicts can be about, by the names of their tables. */
@Injectable()
export class Disputables {
  private readonly registered: Disputable[] = [];
  private tables: ReadonlyMap<string, DisputableTable> | undefined;

  constructor(private readonly router: DataRouter) {}

  register<E extends DisputableRecord>(disputable: Disputable<E>): void {
    this.registered.push(disputable);
    this.tables = undefined;
  }

  /** `undefined` for an entity that this version does not know. */
  get(table: string): DisputableTable | undefined {
    this.tables ??= new Map(this.registered.map((one) => this.described(one)));
    return this.tables.get(table);
  }

  private described(one: Disputable): [string, DisputableTable] {
    const metadata = this.router.home.getMetadata(one.entity);
    const table = {
      entity: one.entity,
      readableBy: (role: Role) => one.readableBy(role),
      accept: (...args: Parameters<Disputable['accept']>) => one.accept(...args),
      metadata,
      fields: metadata.columns.map((column) => ({
        column: column.databaseName,
        property: column.propertyName,
        instant: String(column.type).startsWith('timestamp'),
        group: mergeRuleOf(one.entity, column.propertyName)?.group,
      })),
    };
    return [metadata.tableName, table];
  }
}

/** `value`, as the database's JSON has it, as the API shows it. */
export function shownValue({ instant }: Pick<DisputableField, 'instant'>, value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (!instant || typeof value !== 'string') return value ?? null;
  const at = new Date(value);
  return Number.isNaN(at.getTime()) ? value : at.toISOString();
}
