import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';
import { createApp } from '../../src/app.js';
import { type Config, loadConfig } from '../../src/config/config.js';
import { CENTRAL, REGIONALE } from '../../src/routing/connection-names.js';
import { cloneDatabases } from './databases.js';

export interface TestApplication {
  /** Like `http://127.0.0.1:41234`, without `/api/v1`. */
  readonly url: string;
  readonly app: NestFastifyApplication;
  readonly config: Config;
  /** SQL as anyone with psql: what it changes is journaled by the database. */
  readonly regionale: pg.Client;
  readonly central: pg.Client;
  /** A new access token of the first administrator. */
  adminToken(): Promise<string>;
  /** Stops the application and drops its databases. Call it in `afterAll`. */
  stop(): Promise<void>;
}

export const ADMIN = { email: 'admin@medlink.local', password: 'a-password-for-the-tests' };

/** What a node of the tests is told besides where its databases are. */
export function usualEnvironment(dataDir: string): Record<string, string> {
  return {
    PORT: '0',
    MEDLINK_DATA_DIR: dataDir,
    MEDLINK_ADMIN_EMAIL: ADMIN.email,
    MEDLINK_ADMIN_PASSWORD: ADMIN.password,
    MEDLINK_LOG_LEVEL: 'fatal',
  };
}

/** The real application in this process, listening. */
export async function serveApplication(
  environment: Record<string, string>,
): Promise<Pick<TestApplication, 'url' | 'app' | 'config'>> {
  const config = loadConfig(environment);
  const app = await createApp(config, { [REGIONALE]: config.regionaleUrl, [CENTRAL]: config.centralUrl });
  await app.listen(config.port, '127.0.0.1');
  return { url: await app.getUrl(), app, config };
}

/**
 * The real application on databases of its own, listening on a free port. `environment` goes over the
 * usual variables: with another `DATABASE_DEFAULT_URL`, for example, central is somewhere else.
 */
export async function startApplication(environment: Record<string, string> = {}): Promise<TestApplication> {
  const databases = await cloneDatabases();
  const dataDir = await mkdtemp(join(tmpdir(), 'medlink-data-'));
  const { url, app, config } = await serveApplication({
    ...usualEnvironment(dataDir),
    DATABASE_REGIONALE_URL: databases.regionaleUrl,
    DATABASE_DEFAULT_URL: databases.centralUrl,
    ...environment,
  });
  const [regionale, central] = await Promise.all([
    connect(databases.regionaleUrl),
    connect(databases.centralUrl),
  ]);
  return {
    url,
    app,
    config,
    regionale,
    central,
    adminToken: () => logIn(url, ADMIN),
    async stop() {
      await app.close();
      await Promise.all([regionale.end(), central.end()]);
      await databases.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** An access token of any account. */
export async function logIn(url: string, credentials: { email: string; password: string }): Promise<string> {
  const answer = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(credentials),
  });
  if (!answer.ok) throw new Error(`Login as ${credentials.email}: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { accessToken: string }).accessToken;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
