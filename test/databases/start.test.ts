import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createApp } from '../../src/app.js';
import { CentralConnection } from '../../src/databases/central-connection.js';
import { CENTRAL, REGIONALE } from '../../src/routing/connection-names.js';
import { CentralUnavailableError, DataRouter } from '../../src/routing/data-router.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { type Config, loadConfig } from '../../src/config/config.js';
import { ADMIN, startApplication, type TestApplication } from '../harness/application.js';
import { cloneDatabases, createEmptyDatabase, type TestDatabases } from '../harness/databases.js';
import { TcpProxy } from '../harness/tcp-proxy.js';
import { until } from '../harness/until.js';

const NOWHERE = 'postgresql://127.0.0.1:1/central';

describe('a node that starts', () => {
  const left: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const clean of left.splice(0).reverse()) await clean();
  });

  async function start(environment?: Record<string, string>): Promise<TestApplication> {
    const node = await startApplication(environment);
    left.push(() => node.stop());
    return node;
  }

  /** What the environment says, for an application that the test makes itself. */
  async function configure(environment: Record<string, string> = {}): Promise<Config> {
    const dataDir = await mkdtemp(join(tmpdir(), 'medlink-data-'));
    left.push(() => rm(dataDir, { recursive: true, force: true }));
    return loadConfig({
      MEDLINK_DATA_DIR: dataDir,
      MEDLINK_ADMIN_PASSWORD: ADMIN.password,
      MEDLINK_LOG_LEVEL: 'silent',
      ...environment,
    });
  }

  async function clone(): Promise<TestDatabases> {
    const databases = await cloneDatabases();
    left.push(() => databases.drop());
    return databases;
  }

  it('claims both databases', async () => {
    const node = await start();

    await node.app.get(CentralConnection).whenOpen();

    expect((await node.regionale.query('SELECT code FROM node')).rows).toEqual([{ code: 'DKR' }]);
    expect((await node.central.query('SELECT code FROM node')).rows).toEqual([{ code: 'central' }]);
  });

  it('serves without central, and says that it is away', async () => {
    const node = await start({ DATABASE_DEFAULT_URL: NOWHERE });
    const central = node.app.get(CentralConnection);
    const router = node.app.get(DataRouter);

    expect((await fetch(`${node.url}/health/ready`)).status).toBe(200);
    expect(await router.forRead(Patient).count()).toBe(0);
    expect(() => router.central(Patient)).toThrow(CentralUnavailableError);
    await until(() => central.lastError, { what: 'an attempt has failed' });
    expect(central.isOpen).toBe(false);
  });

  it('uses central as soon as it is there, and migrates it', async () => {
    const late = await createEmptyDatabase();
    left.push(() => late.drop());
    await setConnections(late.url, false);
    const node = await start({ DATABASE_DEFAULT_URL: late.url });
    const central = node.app.get(CentralConnection);
    await until(() => central.lastError, { what: 'an attempt has failed' });

    await setConnections(late.url, true);
    await until(() => central.isOpen, { what: 'central is picked up' });

    expect(central.lastError).toBeUndefined();
    expect(await node.app.get(DataRouter).central(Patient).count()).toBe(0);
  });

  it('gives up an attempt whose line goes half open, whatever it was at, and reaches central by the next', async () => {
    const databases = await clone();
    for (const question of ['pg_try_advisory_lock', 'pg_advisory_unlock', 'SELECT version()']) {
      const wire = await TcpProxy.before(databases.centralUrl);
      left.push(() => wire.close());
      wire.holdAnswersTo(question);
      const began = performance.now();
      const node = await start({ DATABASE_DEFAULT_URL: wire.url });
      const central = node.app.get(CentralConnection);
      await until(() => wire.isHolding, { what: `${question} has been asked` });
      wire.vanish();
      await wire.become('up');
      await until(() => central.isOpen, { what: 'central is reached', timeoutMs: 30_000 });
      expect(performance.now() - began).toBeGreaterThan(9_000);
    }
  }, 120_000);

  it('stops at once while it still looks for central', async () => {
    const databases = await clone();
    const app = await createApp(await configure(), {
      [REGIONALE]: databases.regionaleUrl,
      [CENTRAL]: NOWHERE,
    });
    await app.init();
    const waiting = app.get(CentralConnection).whenOpen();

    await Promise.all([expect(waiting).rejects.toThrow('The node stops'), app.close()]);
  });

  it('refuses the database of another region', async () => {
    const databases = await clone();
    const urls = { [REGIONALE]: databases.regionaleUrl, [CENTRAL]: databases.centralUrl };
    const dakar = await createApp(await configure(), urls);
    await dakar.close();

    const thies = createApp(await configure({ MEDLINK_REGION: 'THI' }), urls);

    await expect(thies).rejects.toMatchObject({ code: 'NODE_MISMATCH', expected: 'THI', found: 'DKR' });
  });

  it('does not start on a database of its own that cannot be reached', async () => {
    const start = createApp(await configure(), {
      [REGIONALE]: 'postgresql://someone:a-secret@127.0.0.1:1/clinic',
      [CENTRAL]: NOWHERE,
    });

    const refusal = await start.catch((error: unknown) => error);

    expect(refusal).toMatchObject({
      code: 'HOME_UNREACHABLE',
      message: expect.stringContaining('127.0.0.1:1/clinic'),
    });
    expect(String(refusal)).not.toContain('a-secret');
  });

  it('as central has the national database as its own, and no other', async () => {
    const node = await start({ MEDLINK_NODE: 'central' });

    expect(node.app.get(CentralConnection).isOpen).toBe(true);
    expect((await node.central.query('SELECT code FROM node')).rows).toEqual([{ code: 'central' }]);
    expect((await node.regionale.query('SELECT code FROM node')).rows).toEqual([]);
  });

  it('lives through a restart of its database', async () => {
    const node = await start();
    const router = node.app.get(DataRouter);
    await router.forRead(Patient).count();

    await node.regionale.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );

    const counted = await until(async () => ({ patients: await router.forRead(Patient).count() }), {
      what: 'the pool has new sessions',
    });
    expect(counted).toEqual({ patients: 0 });
  });
});

/** Lets nobody into a database, or lets everybody in again: for its clients it is away, and comes back. */
async function setConnections(url: string, allowed: boolean): Promise<void> {
  const { pathname } = new URL(url);
  const administrator = new pg.Client({ connectionString: process.env.MEDLINK_TEST_CLUSTER_URL });
  await administrator.connect();
  await administrator.query(`ALTER DATABASE ${pathname.slice(1)} ALLOW_CONNECTIONS ${String(allowed)}`);
  await administrator.end();
}
