import type { MigrationInterface } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { CENTRAL, REGIONALE, type ConnectionName } from '../src/routing/connection-names.js';
import type { RoutingTable } from '../src/routing/routing-table.js';
import { Journal0001 } from './migrations/0001-journal.js';
import { CentralPatients0002, RegionalePatients0002 } from './migrations/0002-patients.js';
import { Idempotency0003 } from './migrations/0003-idempotency.js';
import { SnakeNamingStrategy } from './snake-naming-strategy.js';

/** Numbered, forward only, in the order in which they run. */
export const MIGRATIONS: Record<ConnectionName, readonly (new () => MigrationInterface)[]> = {
  [REGIONALE]: [Journal0001, RegionalePatients0002, Idempotency0003],
  [CENTRAL]: [Journal0001, CentralPatients0002, Idempotency0003],
};

/**
 * What PostgreSQL is told of each of the application's sessions. `medlink.capture=app` says that the
 * entity subscriber journals, so the tables' own capture triggers stay out of the way; the time zone
 * keeps the instants inside journal entries in one form.
 */
const SESSION = '-c medlink.capture=app -c TimeZone=UTC';

/** One connection, as the application and the TypeORM command line both open it. */
export function connectionOptions(
  name: ConnectionName,
  url: string,
  routes: RoutingTable,
): PostgresDataSourceOptions {
  return {
    type: 'postgres',
    url,
    applicationName: `medlink-${name}`,
    entities: routes.entitiesOn(name),
    migrations: [...MIGRATIONS[name], ...routes.migrationsOn(name)],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    namingStrategy: new SnakeNamingStrategy(),
    synchronize: false,
    logging: false,
    poolSize: 20,
    connectTimeoutMS: 5_000,
    extra: { options: SESSION, keepAlive: true },
  };
}
