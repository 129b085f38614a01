import { UndescribableWriteError } from '../../src/journal/undescribable-write.error.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { DataRouter } from '../../src/routing/data-router.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';
import { TcpProxy } from '../harness/tcp-proxy.js';
import { until } from '../harness/until.js';
import { aPatient } from '../journal/captured-database.js';

interface Status {
  link: { state: string; since: string; lastError: { code: string } | null };
  uplink: { pending: number; oldestPendingAt: string | null; lagMs: number; drainSeconds: number | null };
}

/** The whole way of a change: from the region's transaction to the national database. */
describe('the uplink', () => {
  let centralDatabases: TestDatabases;
  let wire: Awaited<ReturnType<typeof TcpProxy.before>>;
  let node: TestApplication;

  const start = async (state: 'up' | 'down' | 'hung') => {
    centralDatabases = await cloneDatabases();
    wire = await TcpProxy.before(centralDatabases.centralUrl, state);
    node = await startApplication({ DATABASE_DEFAULT_URL: wire.url });
  };
  afterEach(async () => {
    await node.stop();
    await wire.close();
    await centralDatabases.drop();
  });

  const router = () => node.app.get(DataRouter);
  const create = (count = 1) =>
    router().transaction(Patient, { actor: 'test' }, (manager) =>
      manager.insert(
        Patient,
        Array.from({ length: count }, () => aPatient()),
      ),
    );
  const central = async <T extends object>(sql: string) => {
    const { Client } = (await import('pg')).default;
    const client = new Client({ connectionString: centralDatabases.centralUrl });
    await client.connect();
    try {
      return (await client.query<T>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const rowsAt = async (side: 'region' | 'central') => {
    const sql = 'SELECT to_jsonb(p) AS row FROM patients p ORDER BY id';
    const rows =
      side === 'region'
        ? (await node.regionale.query<{ row: unknown }>(sql)).rows
        : await central<{ row: unknown }>(sql);
    return rows.map(({ row }) => row);
  };
  const status = async () => {
    const answer = await fetch(`${node.url}/api/v1/sync/status`, {
      headers: { authorization: `Bearer ${await node.adminToken()}` },
    });
    return (await answer.json()) as Status;
  };
  const call = async (path: string) =>
    fetch(`${node.url}/api/v1${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await node.adminToken()}` },
    });
  const whenEmpty = () =>
    until(async () => (await status()).uplink.pending === 0, { what: 'nothing pending', timeoutMs: 20_000 });

  it('carries inserts, updates and removes to central by itself', async () => {
    await start('up');
    const [patient, gone] = [aPatient(), aPatient()];
    await router().transaction(Patient, { actor: 'test' }, (manager) =>
      manager.insert(Patient, [patient, gone]),
    );
    await router().forWrite(Patient).save({ id: patient.id, notes: 'revu', version: 2 });
    await router().forWrite(Patient).remove(gone);
    await whenEmpty();
    expect(await rowsAt('central')).toEqual(await rowsAt('region'));
    expect(await rowsAt('central')).toMatchObject([{ id: patient.id, notes: 'revu' }]);
    expect(await status()).toMatchObject({
      link: { state: 'up' },
      uplink: { pending: 0, oldestPendingAt: null, lagMs: 0, drainSeconds: 0 },
    });
  });

  it('central away from the first start: the node serves, and 500 changes arrive in order when it appears', async () => {
    await start('down');
    for (let i = 0; i < 50; i++) await create(10);
    const before = await status();
    expect(before.link.state).not.toBe('up');
    expect(before.uplink.pending).toBe(500);
    expect(before.uplink.oldestPendingAt).not.toBeNull();
    expect(before.uplink.drainSeconds).toBeNull();
    await wire.become('up');
    await whenEmpty();
    expect(await rowsAt('central')).toEqual(await rowsAt('region'));
    const order = await central<{ origin_seq: string }>(
      `SELECT origin_seq FROM journal WHERE origin = 'DKR' ORDER BY seq`,
    );
    const own = await node.regionale.query<{ seq: string }>(
      `SELECT seq FROM journal WHERE origin = 'DKR' ORDER BY seq`,
    );
    expect(order.map(({ origin_seq }) => origin_seq)).toEqual(own.rows.map(({ seq }) => seq));
  });

  it('the wire is cut again and again under load: everything arrives once', async () => {
    await start('up');
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 20 }, () => create(3)));
      wire.cut();
    }
    await whenEmpty();
    expect(await rowsAt('central')).toEqual(await rowsAt('region'));
    expect(await central(`SELECT FROM journal WHERE origin = 'DKR'`)).toHaveLength(600);
    expect(await rowsAt('central')).toHaveLength(600);
  });

  it('paused, nothing moves, and a resume sends what waited; the pause is the administrator’s, by name', async () => {
    await start('up');
    expect((await call('/sync/pause')).status).toBe(200);
    expect(await status()).toMatchObject({ link: { state: 'paused', pausedBy: 'admin@medlink.local' } });
    await create(3);
    expect((await status()).uplink.pending).toBe(3);
    expect(await rowsAt('central')).toEqual([]);
    expect((await call('/sync/resume')).status).toBe(200);
    await whenEmpty();
    expect(await rowsAt('central')).toHaveLength(3);
  });

  it('a patient’s own state: pending while it waits, synced when central has it', async () => {
    await start('down');
    const patient = aPatient();
    await router().transaction(Patient, { actor: 'test' }, (manager) => manager.insert(Patient, patient));
    const get = async (path: string) =>
      fetch(`${node.url}/api/v1/patients/${path}`, {
        headers: { authorization: `Bearer ${await node.adminToken()}` },
      });
    expect((await get(patient.id)).headers.get('x-sync-state')).toBe('pending');
    expect(await (await get(`${patient.id}/sync`)).json()).toEqual({
      state: 'pending',
      pendingChanges: 1,
      lastSyncedAt: null,
      hosts: ['DKR'],
      conflicts: [],
    });
    await wire.become('up');
    await whenEmpty();
    expect((await get(patient.id)).headers.get('x-sync-state')).toBe('synced');
    const entry = await node.regionale.query<{ at: Date }>(`SELECT at FROM journal WHERE origin = 'DKR'`);
    expect(await (await get(`${patient.id}/sync`)).json()).toMatchObject({
      state: 'synced',
      pendingChanges: 0,
      lastSyncedAt: entry.rows[0]!.at.toISOString(),
    });
    expect((await get('01936b5e-7a10-7c3e-8f21-5b0d6c9e4a72/sync')).status).toBe(404);
  });

  it('what psql changes in the region arrives too, and is counted', async () => {
    await start('up');
    await create(2);
    await node.regionale.query(`UPDATE patients SET notes = 'par script'`);
    await whenEmpty();
    expect(await rowsAt('central')).toMatchObject([{ notes: 'par script' }, { notes: 'par script' }]);
    expect(await status()).toMatchObject({ madeOutside: 2 });
  });

  it('central hangs in the middle of a large transaction: the node works on, and everything arrives after', async () => {
    await start('up');
    await create(1);
    await whenEmpty();
    await call('/sync/pause');
    await create(1_200);
    await wire.become('hung');
    await call('/sync/resume');
    const begun = Date.now();
    for (let i = 0; i < 20; i++) await create(1);
    expect(Date.now() - begun).toBeLessThan(5_000);
    expect((await status()).uplink.pending).toBe(1_220);
    await until(async () => (await status()).link.state === 'down', {
      what: 'the silence is noticed',
      timeoutMs: 20_000,
    });
    await wire.become('up');
    await whenEmpty();
    expect(await rowsAt('central')).toEqual(await rowsAt('region'));
  }, 60_000);

  it('a central that cannot be used says why in the status, not only in the log', async () => {
    centralDatabases = await cloneDatabases();
    wire = await TcpProxy.before(centralDatabases.centralUrl);
    const url = new URL(wire.url);
    url.password = 'wrong';
    node = await startApplication({ DATABASE_DEFAULT_URL: url.href });
    await until(async () => (await status()).link.lastError?.code === '28P01', {
      what: 'the reason in the status',
    });
    expect((await status()).link.state).toBe('down');
  });

  it('nobody writes patients on the central connection behind the journal’s back', async () => {
    await start('up');
    await until(() => router().central(Patient), { what: 'central open' });
    await expect(router().central(Patient).insert(aPatient())).rejects.toBeInstanceOf(
      UndescribableWriteError,
    );
  });
});
