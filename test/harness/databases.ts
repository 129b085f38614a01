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

/** Any number, the same in every worker of a run. */
const TEMPLATE_LOCK = 7_304_001;

/** A fresh, migrated and empty database for each connection, of this test file alone. */
export async function cloneDatabases(): Promise<TestDatabases> {
  const suffix = randomBytes(5).toString('hex');
  const [regionale, central] = [`regionale_${suffix}`, `central_${suffix}`];
  await withAdministrator(async (administrator) => {
    await prepareTemplates(administrator);
    await administrator.query(`CREATE DATABASE ${regionale} TEMPLATE ${templateOf(REGIONALE)}`);
    await administrator.query(`CREATE DATABASE ${central} TEMPLATE ${templateOf(CENTRAL)}`);
  });
  return {
    regionaleUrl: urlOf(regionale),
    centralUrl: urlOf(central),
    drop: () => dropDatabases([regionale, central]),
  };
}

/** A database with nothing in it, not even migrations. */
export async function createEmptyDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `empty_${randomBytes(5).toString('hex')}`;
  await withAdministrator((administrator) => administrator.query(`CREATE DATABASE ${name}`));
  return { url: urlOf(name), drop: () => dropDatabases([name]) };
}

async function dropDatabases(names: readonly string[]): Promise<void> {
  await withAdministrator(async (administrator) => {
    for (const name of names) await administrator.query(`DROP DATABASE ${name} WITH (FORCE)`);
  });
}

/** The first test file of a run migrates the templates; the others wait for it. */
async function prepareTemplates(administrator: pg.Client): Promise<void> {
  await administrator.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
  try {
    for (const name of [REGIONALE, CENTRAL] as const) {
      const { rowCount } = await administrator.query(
        'SELECT FROM pg_database WHERE datname = $1 AND datistemplate',
        [templateOf(name)],
      );
      if (rowCount === 0) await makeTemplate(administrator, name);
    }
  } finally {
    await administrator.query('SELECT pg_advisory_unlock($1)', [TEMPLATE_LOCK]);
  }
}

/** Only the built-in migrations: what features bring is run when the application starts on the copy. */
async function makeTemplate(administrator: pg.Client, name: ConnectionName): Promise<void> {
  const template = templateOf(name);
  await administrator.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
  await administrator.query(`CREATE DATABASE ${template}`);
  const source = new DataSource(connectionOptions(name, urlOf(template), new RoutingTable([], 'standalone')));
  await source.initialize();
  try {
    await source.runMigrations();
  } finally {
    await source.destroy();
  }
  await administrator.query(`ALTER DATABASE ${template} IS_TEMPLATE true`);
}

async function withAdministrator<T>(work: (administrator: pg.Client) => Promise<T>): Promise<T> {
  const administrator = new pg.Client({ connectionString: urlOf('postgres') });
  await administrator.connect();
  try {
    return await work(administrator);
  } finally {
    await administrator.end();
  }
}

const templateOf = (name: ConnectionName) => `template_${name}`;

function urlOf(database: string): string {
  const cluster = process.env.MEDLINK_TEST_CLUSTER_URL;
  if (!cluster)
    throw new Error('The test cluster is not running: run the tests with jest from the project folder');
  const url = new URL(cluster);
  url.pathname = `/${database}`;
  return url.href;
}
