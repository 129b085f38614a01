import type { DataSource, EntityMetadata } from 'typeorm';
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
}

/** The replicated tables of an open connection. Throws when one cannot be journaled. */
export function replicatedTables(source: DataSource): ReplicatedTable[] {
  return source.entityMetadatas.flatMap((metadata) => {
    const table = replicatedTable(metadata);
    return table ? [table] : [];
  });
}

export function replicatedTable(metadata: EntityMetadata): ReplicatedTable | undefined {
  const replication = replicationOf(metadata.target);
  if (!replication) return undefined;
  const [key, ...rest] = metadata.primaryColumns;
  if (key?.databaseName !== 'id' || rest.length > 0) {
    throw new Error(`${metadata.name} is @Replicated, so its primary key must be one uuid column named "id"`);
  }
  return {
    name: metadata.tableName,
    columns: metadata.columns.map((column) => column.databaseName),
    compartment: compartmentColumn(metadata, replication.compartment),
    schema: replication.schema,
  };
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
