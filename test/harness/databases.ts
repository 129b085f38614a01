import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { connectionOptions } from '../../ormconfig/connection-options.js';
import { CENTRAL, REGIONALE, type ConnectionName } from '../../src/routing/connection-names.js';
import { RoutingTable } from '../../src/routing/routing-table.js';

export interface TestDatabases {
  readonly regionaleUrl: string;
  readonly centralUrl: string;
  /** Ends whoever is still connected and drops both. Call it in `afterAll`. */
  drop(): Promise<void>;
}

export interface TestDatabase {
  readonly url: string;
  /** Ends whoever is still connected and drops it. */
  drop(): Promise<void>;
}

/** Any number, the same in every worker of a run. */
const TEMPLATE_LOCK = 7_304_001;

/** A fresh, migrated and empty database for each connection, of this test file alone. */
export async function cloneDatabases(): Promise<TestDatabases> {
  const [regionale, central] = await Promise.all([cloneDatabase(REGIONALE), cloneDatabase(CENTRAL)]);
  return {
    regionaleUrl: regionale.url,
    centralUrl: central.url,
    async drop() {
      await Promise.all([regionale.drop(), central.drop()]);
    },
  };
}

/** One of them, for tests with several regions. `cluster` is the URL of a server of its own. */
export async function cloneDatabase(name: ConnectionName, cluster = testCluster()): Promise<TestDatabase> {
  const database = `${name === REGIONALE ? 'regionale' : 'central'}_${randomBytes(5).toString('hex')}`;
  await withAdministrator(cluster, async (administrator) => {
    await prepareTemplate(administrator, name, cluster);
    await administrator.query(`CREATE DATABASE ${database} TEMPLATE ${templateOf(name)} STRATEGY FILE_COPY`);
  });
  return { url: urlOf(cluster, database), drop: () => dropDatabase(cluster, database) };
}

/** A database with nothing in it, not even migrations. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const cluster = testCluster();
  const name = `empty_${randomBytes(5).toString('hex')}`;
  await withAdministrator(cluster, (administrator) => administrator.query(`CREATE DATABASE ${name}`));
  return { url: urlOf(cluster, name), drop: () => dropDatabase(cluster, name) };
}

function dropDatabase(cluster: string, name: string): Promise<void> {
  return withAdministrator(cluster, async (administrator) => {
    await administrator.query(`DROP DATABASE ${name} WITH (FORCE)`);
  });
}

/** The first test file of a run migrates the template; the others wait for it. */
async function prepareTemplate(
  administrator: pg.Client,
  name: ConnectionName,
  cluster: string,
): Promise<void> {
  await administrator.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
  try {
    const { rowCount } = await administrator.query(
      'SELECT FROM pg_database WHERE datname = $1 AND datistemplate',
      [templateOf(name)],
    );
    if (rowCount === 0) await makeTemplate(administrator, name, cluster);
  } finally {
    await administrator.query('SELECT pg_advisory_unlock($1)', [TEMPLATE_LOCK]);
  }
}

/** Only the built-in migrations: what features bring is run when the application starts on the copy. */
async function makeTemplate(administrator: pg.Client, name: ConnectionName, cluster: string): Promise<void> {
  const template = templateOf(name);
  await administrator.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
  await administrator.query(`CREATE DATABASE ${template}`);
  const options = connectionOptions(name, urlOf(cluster, template), new RoutingTable([], 'standalone'));
  const source = new DataSource(options);
  await source.initialize();
  try {
    await source.runMigrations();
  } finally {
    await source.destroy();
  }
  await administrator.query(`ALTER DATABASE ${template} IS_TEMPLATE true`);
}

async function withAdministrator<T>(
  cluster: string,
  work: (administrator: pg.Client) => Promise<T>,
): Promise<T> {
  const administrator = new pg.Client({ connectionString: urlOf(cluster, 'postgres') });
  await administrator.connect();
  try {
    return await work(administrator);
  } finally {
    await administrator.end();
  }
}

const templateOf = (name: ConnectionName) => `template_${name}`;

function urlOf(cluster: string, database: string): string {
  const url = new URL(cluster);
  url.pathname = `/${database}`;
  return url.href;
}

function testCluster(): string {
  const cluster = process.env.MEDLINK_TEST_CLUSTER_URL;
  if (!cluster)
    throw new Error('The test cluster is not running: run the tests with jest from the project folder');
  return cluster;
}
