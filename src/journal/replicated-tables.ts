import type { DataSource, EntityMetadata } from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js';
import type { EntityClass } from '../routing/connection-router.js';
import { type MergeRule, mergeRuleOf } from './merge-rule.js';
import { replicationOf } from './replicated.js';

/** A replicated entity as its connection knows it. */
export interface ReplicatedTable {
  /** The table's name, which is also what journal entries call the entity. */
  readonly name: string;
  /** Column names, in the order of the entity. */
  readonly columns: readonly string[];
  /** The column that holds the patient's id; `null` when the record belongs to everyone. */
  readonly compartment: string | null;
  readonly schema: number;
  /** How each column is merged. */
  readonly rules: ReadonlyMap<string, MergeRule>;
}

/** The replicated tables of an open connection. Throws when one cannot be journaled. */
export function replicatedTables(source: DataSource): ReplicatedTable[] {
  return source.entityMetadatas.flatMap((metadata) => {
    const table = replicatedTable(metadata, source.entityMetadatas);
    return table ? [table] : [];
  });
}

function replicatedTable(
  metadata: EntityMetadata,
  all: readonly EntityMetadata[],
): ReplicatedTable | undefined {
  const replication = replicationOf(metadata.target);
  if (!replication) return undefined;
  const [key, ...rest] = metadata.primaryColumns;
  if (key?.databaseName !== 'id' || rest.length > 0) {
    throw new Error(`${metadata.name} is @Replicated, so its primary key must be one uuid column named "id"`);
  }
  refuseSilentWrites(metadata, all);
  return {
    name: metadata.tableName,
    columns: metadata.columns.filter(isStored).map((column) => column.databaseName),
    compartment: compartmentColumn(metadata, replication.compartment),
    schema: replication.schema,
    rules: mergeRules(metadata),
  };
}

function mergeRules(metadata: EntityMetadata): ReadonlyMap<string, MergeRule> {
  const stored = metadata.columns.filter(isStored);
  return new Map(
    stored.map(({ databaseName, propertyName }) => {
      const rule = mergeRuleOf(metadata.target as EntityClass, propertyName);
      if (!rule)
        throw new Error(
          `${metadata.name} is @Replicated, so "${propertyName}" needs @Merge: it says what happens when two nodes ` +
            'change it without knowing of each other. See docs/conflicts.md.',
        );
      return [databaseName, rule] as const;
    }),
  );
}

/** What the database computes is computed by the receiver's database too. */
function isStored(column: ColumnMetadata): boolean {
  return !column.isVirtualProperty && !column.generatedType;
}

/** What the database itself writes when another row changes is told to nobody. */
function refuseSilentWrites(metadata: EntityMetadata, all: readonly EntityMetadata[]): void {
  const joined = all.find((other) =>
    other.manyToManyRelations.some(({ inverseEntityMetadata: to }) => to === metadata || other === metadata),
  );
  if (joined) {
    throw new Error(
      `${metadata.name} is @Replicated, so it cannot have a many-to-many relation (${joined.name}): nothing ` +
        'journals the table between. Make that an entity of its own.',
    );
  }
  const foreignKeys = all.flatMap((other) => other.foreignKeys);
  const writing = foreignKeys.find(
    ({ entityMetadata: from, referencedEntityMetadata: to, onDelete, onUpdate }) =>
      (from === metadata || to === metadata) && [onDelete, onUpdate].some((action) => writesRows(action)),
  );
  if (writing) {
    const { entityMetadata: from, referencedEntityMetadata: to, columnNames } = writing;
    throw new Error(
      `${metadata.name} is @Replicated, so the foreign key of ${from.name} (${columnNames.join(', ')}) to ${to.name} ` +
        'may only have NO ACTION or RESTRICT: nothing journals what the database changes by itself.',
    );
  }
}

function writesRows(action: string | undefined): boolean {
  return action !== undefined && action !== 'NO ACTION' && action !== 'RESTRICT';
}

function compartmentColumn(metadata: EntityMetadata, property: string | null): string | null {
  if (property === null) return null;
  const column = metadata.findColumnWithPropertyName(property);
  if (!column)
    throw new Error(
      `${metadata.name} names "${property}" as its compartment, which is not one of its columns`,
    );
  return column.databaseName;
}
