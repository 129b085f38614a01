import pg from 'pg';
import { call, newAccount, type CallOptions } from '../accounts/api.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';
import { TcpProxy } from '../harness/tcp-proxy.js';
import { until } from '../harness/until.js';

const AWA = { familyName: 'Diop', givenNames: 'Awa', birthDate: '1987-03-14', sex: 'female' };
const NOBODY = '01936b5e-7a10-7c3e-8f21-000000000000';

async function rowOf(client: pg.Client, id: string): Promise<Record<string, unknown> | undefined> {
  const { rows } = await client.query('SELECT * FROM patients WHERE id = $1', [id]);
  return rows[0] as Record<string, unknown> | undefined;
}

async function entriesOf(client: pg.Client, id: string, entity = 'patients'): Promise<any[]> {
  const { rows } = await client.query(
    'SELECT * FROM journal WHERE patient_id = $1 AND entity = $2 ORDER BY seq',
    [id, entity],
  );
  return rows;
}

describe.each(['standalone', 'regional', 'central'])('a change made at central, on a %s node', (mode) => {
  let node: TestApplication;
  let admin: { id: string; token: string };

  beforeAll(async () => {
    node = await startApplication({ MEDLINK_NODE: mode });
    admin = await newAccount(node.url, await node.adminToken(), { role: 'admin_national', region: null });
    await until(async () => (await api('GET /national/patients')).status === 200, { what: 'central' });
    if (mode === 'central') await api('POST /regions', { body: { code: 'DKR', name: 'Dakar' } });
  });
  afterAll(() => node.stop());

  const api = (request: string, options: Omit<CallOptions, 'token'> = {}) =>
    call(node.url, request, { token: admin.token, ...options });
  /** A new patient whom central has. */
  const registered = async (fields: object = {}) => {
    const { body } = await api('POST /patients', { body: { ...AWA, ...fields } });
    await until(() => rowOf(node.central, body.id), { what: 'the patient at central' });
    return body as { id: string; medicalId: string };
  };

  it('is journaled there with who and why, and goes down to the home region', async () => {
    const { id } = await registered();
    const { headers } = await api(`GET /national/patients/${id}`);
    const answer = await api(`PATCH /national/patients/${id}?reason=appel`, {
      body: { phone: '+221 77 123 45 67', address: { city: 'Thiès' } },
      headers: { 'if-match': headers.get('etag')!, 'x-request-id': 'call-7' },
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      ...AWA,
      phone: '+221771234567',
      address: { city: 'Thiès' },
      version: 2,
    });
    expect(answer.headers.get('x-sync-state')).toBe('synced');
    const read = await api(`GET /national/patients/${id}`);
    expect([read.headers.get('etag'), read.body]).toEqual([answer.headers.get('etag'), answer.body]);
    expect(await rowOf(node.central, id)).toMatchObject({ phone: '+221771234567', updated_by: admin.id });

    const change = (await entriesOf(node.central, id)).at(-1);
    expect(change).toMatchObject({
      origin: 'central',
      op: 'update',
      actor: admin.id,
      role: 'admin_national',
    });
    expect(change).toMatchObject({ reason: 'appel', request_id: 'call-7', captured_by: 'application' });
    expect(change.after).toMatchObject({ phone: '+221771234567', version: 2 });
    const hosts = await node.central.query('SELECT region, kind FROM hosts WHERE patient_id = $1', [id]);
    expect(hosts.rows).toEqual([{ region: 'DKR', kind: 'home' }]);
    const sent = await node.central.query('SELECT region FROM deliveries WHERE seq = $1', [change.seq]);
    expect(sent.rows).toEqual([{ region: 'DKR' }]);
  });

  it('is refused on a stale copy, and without one where that is required', async () => {
    const { id } = await registered();
    const { headers } = await api(`GET /national/patients/${id}`);
    const stale = { 'if-match': headers.get('etag')! };
    expect(
      (await api(`PATCH /national/patients/${id}`, { body: { usedName: 'A' }, headers: stale })).status,
    ).toBe(200);
    expect(
      (await api(`PATCH /national/patients/${id}`, { body: { usedName: 'B' }, headers: stale })).status,
    ).toBe(412);
    const strict = { prefer: 'handling=strict' };
    expect(
      (await api(`PATCH /national/patients/${id}`, { body: { usedName: 'B' }, headers: strict })).status,
    ).toBe(428);
    expect(await rowOf(node.central, id)).toMatchObject({ used_name: 'A', version: 2 });
  });

  it.each([
    ['a field that nobody knows', { colour: 'red' }, 400, 'colour'],
    ['what is read-only', { version: 7 }, 400, 'version'],
    ['a name that is none', { familyName: ' ' }, 422, 'familyName'],
    ['a required field taken away', { birthDate: null }, 422, 'birthDate'],
    ['a clinical field, which administrators read only', { bloodGroup: 'A+' }, 403, 'bloodGroup'],
  ])('is refused with %s, as in a region', async (_, body, status, path) => {
    const { id } = await registered();
    for (const resource of ['patients', 'national/patients']) {
      const answer = await api(`PATCH /${resource}/${id}`, { body });
      expect([resource, answer.status, answer.body.errors[0].path]).toEqual([resource, status, path]);
    }
    expect(await rowOf(node.central, id)).toMatchObject({ version: 1, family_name: 'Diop' });
  });

  it('gives no medical id that another patient has', async () => {
    const [one, other] = [await registered(), await registered()];
    const taken = await api(`PATCH /national/patients/${one.id}`, { body: { medicalId: other.medicalId } });
    expect([taken.status, taken.body.errors[0].path]).toEqual([409, 'medicalId']);
    const own = await api(`PATCH /national/patients/${one.id}`, {
      body: { medicalId: `${one.medicalId}-2` },
    });
    expect([own.status, own.body.medicalId]).toEqual([200, `${one.medicalId}-2`]);
  });

  it('of nobody is 404, and shares nothing', async () => {
    expect((await api(`PATCH /national/patients/${NOBODY}`, { body: { usedName: 'A' } })).status).toBe(404);
    const { id } = await registered();
    await api(`DELETE /patients/${id}`);
    await until(async () => !(await rowOf(node.central, id)), { what: 'the patient is gone' });
    expect((await api(`PATCH /national/patients/${id}`, { body: { usedName: 'A' } })).status).toBe(404);
    expect(await entriesOf(node.central, id, 'hosts')).toHaveLength(mode === 'central' ? 1 : 0);
  });
});

describe('a change made at central, and the region', () => {
  let node: TestApplication;
  let admin: string;
  beforeAll(async () => {
    node = await startApplication();
    admin = await node.adminToken();
  });
  afterAll(() => node.stop());

  it('arrives there, with its history, and X-Sync-State stays honest', async () => {
    const { body } = await call(node.url, 'POST /patients', { token: admin, body: AWA });
    await until(() => rowOf(node.central, body.id), { what: 'the patient at central' });
    await call(node.url, `PATCH /national/patients/${body.id}?reason=appel`, {
      token: admin,
      body: { usedName: 'Awa' },
    });
    await until(async () => (await rowOf(node.regionale, body.id))!.used_name === 'Awa', {
      what: 'it came down',
    });

    const { body: history } = await call(node.url, `GET /patients/${body.id}/history`, { token: admin });
    expect(history.items.at(-1)).toMatchObject({
      origin: 'central',
      reason: 'appel',
      changes: { usedName: [null, 'Awa'] },
    });
    const [home] = history.items.filter(({ entity }: { entity: string }) => entity === 'hosts');
    expect(home.changes).toEqual({ region: [null, 'DKR'], kind: [null, 'home'] });
    const read = await call(node.url, `GET /patients/${body.id}`, { token: admin });
    expect([read.body.usedName, read.headers.get('x-sync-state')]).toEqual(['Awa', 'synced']);
  });

  it.each(['medecin', 'specialiste', 'infirmier', 'secretaire', 'admin_regional', 'auditeur'])(
    'is not made by a %s',
    async (role) => {
      const { token } = await newAccount(node.url, admin, { role, region: 'DKR' });
      const { body } = await call(node.url, 'POST /patients', { token: admin, body: AWA });
      await until(() => rowOf(node.central, body.id), { what: 'the patient at central' });
      const answer = await call(node.url, `PATCH /national/patients/${body.id}`, {
        token,
        body: { usedName: 'A' },
      });
      expect(answer.status).toBe(403);
      expect(await rowOf(node.central, body.id)).toMatchObject({ used_name: null, version: 1 });
    },
  );
});

describe('a central that does not answer in time', () => {
  let databases: TestDatabases;
  let wire: Awaited<ReturnType<typeof TcpProxy.before>>;
  let node: TestApplication;
  let central: pg.Client;
  let token: string;
  let id: string;

  beforeAll(async () => {
    databases = await cloneDatabases();
    wire = await TcpProxy.before(databases.centralUrl);
    node = await startApplication({ DATABASE_DEFAULT_URL: wire.url });
    central = new pg.Client({ connectionString: databases.centralUrl });
    await central.connect();
    token = await node.adminToken();
    ({ id } = (await call(node.url, 'POST /patients', { token, body: AWA })).body);
    await until(() => rowOf(central, id), { what: 'the patient at central' });
  });
  afterAll(async () => {
    await node.stop();
    await wire.close();
    await central.end();
    await databases.drop();
  });

  const patch = (body: object) => call(node.url, `PATCH /national/patients/${id}`, { token, body });
  const copy = () =>
    call(node.url, `POST /national/patients/${id}/copy`, { token, body: { reason: 'soins' } });

  it('has not done later what was answered with 503', async () => {
    await central.query('BEGIN');
    await central.query('SELECT FROM patients WHERE id = $1 FOR UPDATE', [id]);
    const begun = Date.now();
    const answer = await patch({ usedName: 'Late' });
    expect([answer.status, Date.now() - begun < 8_000]).toEqual([503, true]);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    await central.query('COMMIT');
    const working = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND query ~ 'patients'
                     AND state <> 'idle' AND pid <> pg_backend_pid()`;
    await until(async () => (await central.query(working)).rowCount === 0, { what: 'nobody works on it' });
    expect(await rowOf(central, id)).toMatchObject({ used_name: null, version: 1 });
    expect(await entriesOf(central, id, 'hosts')).toEqual([]);
  });

  it.each(['down', 'hung'] as const)(
    '(%s) is told so, and changes nothing',
    async (state) => {
      await wire.become(state);
      for (const answer of [await patch({ usedName: 'Late' }), await copy()]) {
        expect([answer.status, answer.body.type]).toEqual([
          503,
          'https://medlink.example/problems/central-unavailable',
        ]);
        expect(answer.headers.get('retry-after')).toBe('10');
      }
      await wire.become('up');
      expect(await rowOf(central, id)).toMatchObject({ used_name: null, version: 1 });
    },
    60_000,
  );
});
