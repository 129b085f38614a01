import type { MigrationInterface } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { CENTRAL, REGIONALE, type ConnectionName } from '../src/routing/connection-names.js';
import type { RoutingTable } from '../src/routing/routing-table.js';
import { CAPTURED_BY_APPLICATION, verifyDeclared } from './declared-capture.js';
import { Journal0001 } from './migrations/0001-journal.js';
import { CentralPatients0002, RegionalePatients0002 } from './migrations/0002-patients.js';
import { Idempotency0003 } from './migrations/0003-idempotency.js';
import { Accounts0004 } from './migrations/0004-accounts.js';
import { Imports0005 } from './migrations/0005-imports.js';
import { Quarantine0006 } from './migrations/0006-quarantine.js';
import { CentralRegions0007, RegionaleRegions0007 } from './migrations/0007-regions.js';
import { CentralRetention0008, RegionaleRetention0008 } from './migrations/0008-retention.js';
import { Conflicts0009 } from './migrations/0009-conflicts.js';
import { SnakeNamingStrategy } from './snake-naming-strategy.js';

/** Numbered, forward only, in the order in which they run. */
export const MIGRATIONS: Record<ConnectionName, readonly (new () => MigrationInterface)[]> = {
  [REGIONALE]: [
    Journal0001,
    RegionalePatients0002,
    Idempotency0003,
    Accounts0004,
    Imports0005,
    Quarantine0006,
    RegionaleRegions0007,
    RegionaleRetention0008,
    Conflicts0009,
  ],
  [CENTRAL]: [
    Journal0001,
    CentralPatients0002,
    Idempotency0003,
    Accounts0004,
    Imports0005,
    Quarantine0006,
    CentralRegions0007,
    CentralRetention0008,
    Conflicts0009,
  ],
};

/** Keeps the instants inside journal entries in one form. */
const TIME_ZONE = '-c TimeZone=UTC';

/**
 * Statements that fold a thousand entries look expensive to the planner, which would compile them for seconds
 * to save milliseconds: reading a chunk took 4 s with it and 40 ms without.
 */
const NO_COMPILATION = '-c jit=off';

/** How long to wait for a session: for the server to answer, or for one of the pool's to be free. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * A session that was opened while the database was read-only may keep that for as long as it lives, and a busy one would
 * never be idle for long enough to be replaced.
 */
const SESSION_LIFE_SECONDS = 300;

/** What a session that a broken line left behind has locked is let go. */
const NO_GHOSTS = '-c idle_in_transaction_session_timeout=15s';

/** One connection, as the application opens it. */
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
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    extra: {
      options: `${CAPTURED_BY_APPLICATION} ${TIME_ZONE} ${NO_COMPILATION}`,
      verify: verifyDeclared,
      keepAlive: true,
      // A statement need not wait for the answer to the one before it: see `sendAhead`.
      pipeline: true,
      maxLifetimeSeconds: SESSION_LIFE_SECONDS,
    },
  };
}

/**
 * The same connection, as migrations and the TypeORM command line open it: without the entity subscriber,
 * so what they change in a replicated table is journaled by the database.
 */
export function migrationOptions(
  name: ConnectionName,
  url: string,
  routes: RoutingTable,
): PostgresDataSourceOptions {
  const options = connectionOptions(name, url, routes);
  return {
    ...options,
    applicationName: `medlink-${name}-migrations`,
    poolSize: 2,
    extra: { ...(options.extra as object), options: `${TIME_ZONE} ${NO_GHOSTS}`, verify: undefined },
  };
}
