import pg from 'pg';
import { call } from '../accounts/api.js';
import { ADMIN, logIn } from '../harness/application.js';
import { NodeInProcess } from '../harness/node-in-process.js';
import { startRestartableCluster, type TestCluster } from '../harness/test-cluster.js';
import { until } from '../harness/until.js';

const DRAFT = { familyName: 'Sow', givenNames: 'Awa', birthDate: '1990-01-01', sex: 'female' };

/** A server that an administrator, or a script that watches its disk, has made read-only for a while. */
describe('a read-only database', () => {
  let servers: Record<'region' | 'central', TestCluster>;
  let clients: Record<'region' | 'central', pg.Client>;
  let node: NodeInProcess;
  let token: string;
  let id: string;

  const setReadOnly = async (side: 'region' | 'central', on: boolean) => {
    await clients[side].query(`ALTER SYSTEM SET default_transaction_read_only = ${on ? 'on' : 'off'}`);
    await clients[side].query('SELECT pg_reload_conf()');
    await until(
      async () => {
        const { rows } = await clients[side].query<{ now: string }>(
          `SELECT setting AS now FROM pg_settings WHERE name = 'default_transaction_read_only'`,
        );
        return rows[0]!.now === (on ? 'on' : 'off');
      },
      { what: 'the server has heard it' },
    );
  };
  const create = (headers: Record<string, string> = {}) =>
    call(node.url, 'POST /patients', { token, body: DRAFT, headers });
  const status = async () => (await call(node.url, 'GET /sync/status', { token })).body;
  const health = async () => {
    const answer = await fetch(`${node.url}/health/ready`);
    const { details } = (await answer.json()) as any;
    return { ready: answer.status, ...details.database };
  };
  const rows = async (side: 'region' | 'central') =>
    (await clients[side].query('SELECT to_jsonb(p)::text AS row FROM patients p ORDER BY id')).rows;
  const counts = async () =>
    (
      await clients.region.query(
        `SELECT (SELECT count(*)::int FROM patients) AS patients, (SELECT count(*)::int FROM journal) AS entries`,
      )
    ).rows[0];
  const bothEqual = () =>
    until(async () => JSON.stringify(await rows('region')) === JSON.stringify(await rows('central')), {
      what: 'central has everything',
      timeoutMs: 20_000,
    });
  const nothingHeld = async () => {
    expect((await status()).quarantined).toBe(0);
    expect((await clients.central.query('SELECT FROM quarantine')).rowCount).toBe(0);
    expect((await clients.central.query('SELECT FROM alerts')).rowCount).toBe(0);
  };

  beforeAll(async () => {
    const [region, central] = await Promise.all([startRestartableCluster(), startRestartableCluster()]);
    servers = { region, central };
    clients = { region: await connect(region.url), central: await connect(central.url) };
    node = await NodeInProcess.start({
      DATABASE_REGIONALE_URL: region.url,
      DATABASE_DEFAULT_URL: central.url,
    });
    token = await logIn(node.url, ADMIN);
    id = (await create()).body.id;
    await bothEqual();
  }, 60_000);

  afterAll(async () => {
    await node.remove();
    await Promise.all(Object.values(clients).map((client) => client.end()));
    await Promise.all(Object.values(servers).map((server) => server.stop()));
  });

  it('of the region refuses changes clearly and whole, while reading goes on; writable again, so do changes', async () => {
    const before = await counts();
    await setReadOnly('region', true);

    const refused = await Promise.all([
      create({ 'idempotency-key': 'of the read-only day' }),
      call(node.url, `PATCH /patients/${id}`, { token, body: { phone: '+221771234567' } }),
      call(node.url, `DELETE /patients/${id}`, { token }),
      call(node.url, 'POST /auth/login', { body: ADMIN }),
    ]);

    for (const { status: code, headers, body } of refused) {
      expect([code, body.type]).toEqual([503, expect.stringMatching(/read-only$/)]);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await counts()).toEqual(before);
    expect((await call(node.url, `GET /patients/${id}`, { token })).status).toBe(200);
    expect((await call(node.url, 'GET /patients?q=sow', { token })).body.items).toHaveLength(1);
    expect((await status()).quarantined).toBe(0);
    expect(await health()).toEqual({ ready: 200, status: 'up', writable: false, reason: 'read-only' });

    await setReadOnly('region', false);

    expect(await health()).toEqual({ ready: 200, status: 'up', writable: true });
    expect((await create({ 'idempotency-key': 'of the read-only day' })).status).toBe(201);
    await bothEqual();
    await nothingHeld();
  }, 60_000);

  it('of the region does not keep a node from starting, and serving what can be read', async () => {
    await setReadOnly('region', true);

    await node.stop();
    await node.restart();

    expect((await call(node.url, `GET /patients/${id}`, { token })).status).toBe(200);
    expect((await create()).status).toBe(503);
    await setReadOnly('region', false);
    expect((await create()).status).toBe(201);
    await bothEqual();
  }, 60_000);

  it('of central costs the region nothing: changes wait, none is held for a person, and all arrive afterwards', async () => {
    await setReadOnly('central', true);

    for (let count = 0; count < 20; count++) expect((await create()).status).toBe(201);

    await until(async () => (await status()).link.lastError?.code === '25006', {
      what: 'the reason is told',
    });
    expect((await status()).link.state).toBe('down');
    expect((await status()).uplink.pending).toBeGreaterThanOrEqual(20);
    expect(await health()).toMatchObject({ ready: 200, writable: true });

    await setReadOnly('central', false);

    await bothEqual();
    await until(async () => (await status()).link.state === 'up', { what: 'the link is up' });
    await nothingHeld();
  }, 60_000);

  it('of central does not keep a node from starting', async () => {
    await setReadOnly('central', true);

    await node.stop();
    await node.restart();
    expect((await create()).status).toBe(201);

    await setReadOnly('central', false);
    await bothEqual();
    await nothingHeld();
  }, 60_000);
});

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
