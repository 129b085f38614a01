import { DataSource } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { claimNode } from './claim-node.js';
import type { migrate, Patiently } from './migrate.js';

export interface Preparation {
  /** `migrate` or `migrateIfNew`. */
  readonly migrate: typeof migrate;
  readonly patiently?: Patiently;
  /** The node that the database must belong to: a region's code, or `central`. */
  readonly node: string;
}

/**
 * Brings a database to where the application can open it: migrated, and known to be this node's. On
 * sessions of its own, which end before it returns.
 */
export async function prepareDatabase(
  options: PostgresDataSourceOptions,
  preparation: Preparation,
): Promise<void> {
  const source = await initializeOrClose(new DataSource(options));
  try {
    await preparation.migrate(source, preparation.patiently);
    await claimNode(source, preparation.node);
  } finally {
    await source.destroy();
  }
}

/** A data source that failed half-way keeps its pool, and could not be opened again without leaking it. */
export async function initializeOrClose(source: DataSource): Promise<DataSource> {
  try {
    return await source.initialize();
  } catch (error) {
    const { master } = source.driver as unknown as { master: object | undefined };
    if (master) await source.driver.disconnect();
    throw error;
  }
}
