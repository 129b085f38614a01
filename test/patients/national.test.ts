import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import { startApplication, type TestApplication } from '../harness/application.js';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';
import { TcpProxy } from '../harness/tcp-proxy.js';
import { until } from '../harness/until.js';
import { call, newAccount } from '../accounts/api.js';

const AWA = {
  familyName: 'Diop',
  givenNames: 'Awa',
  birthDate: '1987-03-14',
  sex: 'female',
  bloodGroup: 'O+',
};

const NATIONAL_ID = '2870319870314';
const ELSEWHERE = '01936b5e-7a10-7c3e-8f21-5b0d6c9e4a72';
/** What recognises a person. */
const RECOGNISING = [
  ...['id', 'medicalId', 'region', 'familyName', 'usedName', 'givenNames', 'birthDate', 'birthDatePrecision'],
  ...['sex', 'birthPlace', 'deceasedAt', 'version', 'createdAt', 'updatedAt'],
].sort();

describe('the look-up over all regions', () => {
  let node: TestApplication;
  let here: string;
  const tokens = new Map<string, { id: string; token: string }>();
  const log = jest.spyOn(Logger.prototype, 'log');

  beforeAll(async () => {
    node = await startApplication();
    const admin = await node.adminToken();
    for (const [role, region] of [
      ['medecin', 'DKR'],
      ['secretaire', 'DKR'],
      ['admin_regional', 'DKR'],
      ['admin_national', null],
      ['auditeur', null],
    ] as const)
      tokens.set(role, await newAccount(node.url, admin, { role, region }));
    const body = { ...AWA, nationalId: NATIONAL_ID, phone: '+221771234567', notes: 'secret' };
    here = (await as('medecin', 'POST /patients', body)).body.id;
    await until(async () => (await node.central.query('SELECT 1 FROM patients')).rowCount, {
      what: 'the patient at central',
    });
    await node.central.query(
      `INSERT INTO patients SELECT (jsonb_populate_record(p, $1)).* FROM patients p WHERE id = $2`,
      [{ id: ELSEWHERE, medical_id: 'THS-1', region: 'THS' }, here],
    );
  });

  beforeEach(() => log.mockClear());
  afterAll(() => node.stop());

  const as = (role: string, request: string, body?: unknown) =>
    call(node.url, request, { token: tokens.get(role)!.token, body });
  /** What was logged of looks at other regions' patients. */
  const looks = () =>
    log.mock.calls
      .map(([entry]) => entry as { event?: string })
      .filter(({ event }) => event === 'foreign-patients-read');

  it('finds a patient of another region, who is nowhere in this one', async () => {
    const { body: list } = await as('medecin', 'GET /national/patients?q=diop&total=true');
    expect(list.total).toBe(2);
    expect(list.items.map(({ region }: { region: string }) => region).sort()).toEqual(['DKR', 'THS']);
    const one = await as('medecin', `GET /national/patients/${ELSEWHERE}`);
    expect([one.status, one.headers.get('etag')]).toEqual([200, expect.stringMatching(/^"v1-[0-9a-f]{8}"$/)]);
    expect((await as('medecin', `GET /patients/${ELSEWHERE}`)).status).toBe(404);
  });

  it.each(['medecin', 'secretaire', 'admin_regional'])(
    'shows a %s of another region’s patient what recognises the person, and of its own what it sees anyway',
    async (role) => {
      const { body: list } = await as(role, 'GET /national/patients?q=diop');
      const { body: one } = await as(role, `GET /national/patients/${ELSEWHERE}`);
      for (const foreign of [one, list.items.find(({ id }: { id: string }) => id === ELSEWHERE)]) {
        expect(Object.keys(foreign).sort()).toEqual(RECOGNISING);
        expect(foreign).toMatchObject({ familyName: 'Diop', medicalId: 'THS-1', region: 'THS' });
      }
      expect((await as(role, `GET /national/patients/${here}`)).body).toEqual(
        (await as(role, `GET /patients/${here}`)).body,
      );
    },
  );

  it('shows a national administrator everything, and logs nothing of it', async () => {
    const { body } = await as('admin_national', `GET /national/patients/${ELSEWHERE}`);
    expect(body).toMatchObject({ ...AWA, nationalId: NATIONAL_ID, notes: 'secret', region: 'THS' });
    const { body: found } = await as('admin_national', `GET /national/patients?nationalId=${NATIONAL_ID}`);
    expect(found.items).toHaveLength(2);
    expect(looks()).toEqual([]);
  });

  it('logs who looked at whom of another region, without a value', async () => {
    const look = {
      event: 'foreign-patients-read',
      actor: tokens.get('medecin')!.id,
      role: 'medecin',
      region: 'DKR',
      patients: [ELSEWHERE],
    };
    await as('medecin', `GET /national/patients/${ELSEWHERE}`);
    await as('medecin', 'GET /national/patients?q=diop');
    await as('medecin', `GET /national/patients/${here}`);
    await as('medecin', 'GET /national/patients?q=nobody');
    expect(looks()).toEqual([look, look]);
  });

  it.each([`nationalId=${NATIONAL_ID}`, 'phone=%2B221771234567', 'near=14,-17', 'near=14,-17&radiusKm=900'])(
    'tells a regional caller nothing of whom %s finds elsewhere',
    async (filter) => {
      const { status, body } = await as('medecin', `GET /national/patients?${filter}&total=true`);
      expect([status, body.errors[0].path]).toEqual([403, filter.split('=')[0]]);
      expect(looks()).toEqual([]);
    },
  );

  it('answers 404 for a patient that nobody has, and 403 for a role without the right', async () => {
    const nobody = 'GET /national/patients/01936b5e-7a10-7c3e-8f21-000000000000';
    expect((await as('medecin', nobody)).status).toBe(404);
    expect((await as('auditeur', 'GET /national/patients')).status).toBe(403);
  });
});

describe('when central goes away after it was there', () => {
  let node: TestApplication;
  let central: TestDatabases;
  let wire: Awaited<ReturnType<typeof TcpProxy.before>>;

  beforeAll(async () => {
    central = await cloneDatabases();
    wire = await TcpProxy.before(central.centralUrl);
    node = await startApplication({ DATABASE_DEFAULT_URL: wire.url });
  });

  afterAll(async () => {
    await node.stop();
    await wire.close();
    await central.drop();
  });

  const health = async () => (await fetch(`${node.url}/health/ready`)).json() as Promise<any>;

  it.each(['down', 'hung'] as const)(
    '(%s) the look-up and the health say so',
    async (state) => {
      await wire.become('up');
      await until(async () => (await health()).details.central.status === 'up', {
        what: 'central to be there',
      });
      const token = await node.adminToken();
      expect((await call(node.url, 'GET /national/patients', { token })).status).toBe(200);

      await wire.become(state);
      const nobody = '/01936b5e-7a10-7c3e-8f21-000000000000';
      for (const path of ['', '?q=diop', nobody]) {
        const { status, headers, body } = await call(node.url, `GET /national/patients${path}`, { token });
        expect([path, status, body.type]).toEqual([
          path,
          503,
          'https://medlink.example/problems/central-unavailable',
        ]);
        expect(headers.get('retry-after')).toBe('10');
      }
      expect(await health()).toMatchObject({
        status: 'ok',
        details: { database: { status: 'up' }, central: { status: 'down', reachable: false } },
      });
    },
    60_000,
  );
});

describe('while central is away', () => {
  let node: TestApplication;
  let admin: string;

  beforeAll(async () => {
    node = await startApplication({ DATABASE_DEFAULT_URL: 'postgresql://postgres@127.0.0.1:1/central' });
    admin = await node.adminToken();
  });

  afterAll(() => node.stop());

  it('the national look-up says when to come back, and the region works', async () => {
    const away = await call(node.url, 'GET /national/patients', { token: admin });
    expect(away.status).toBe(503);
    expect(Number(away.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(away.headers.get('content-type')).toMatch(/^application\/problem\+json/);

    const { bloodGroup: _, ...draft } = AWA;
    const created = await call(node.url, 'POST /patients', { token: admin, body: draft });
    expect(created.status).toBe(201);
    const read = await call(node.url, `GET /patients/${created.body.id}`, { token: admin });
    expect(read.headers.get('x-sync-state')).toBe('pending');
  });
});

describe('a central node', () => {
  let node: TestApplication;
  let admin: string;

  beforeAll(async () => {
    node = await startApplication({ MEDLINK_NODE: 'central' });
    admin = await node.adminToken();
  });

  afterAll(() => node.stop());

  it('serves its own copy as the region’s and the nation’s alike', async () => {
    const { bloodGroup: _, ...draft } = AWA;
    const created = await call(node.url, 'POST /patients', { token: admin, body: draft });
    expect(created.status).toBe(201);
    expect(created.headers.get('x-sync-state')).toBe('synced');
    for (const path of ['patients', 'national/patients']) {
      expect((await call(node.url, `GET /${path}/${created.body.id}`, { token: admin })).status).toBe(200);
      expect((await call(node.url, `GET /${path}?q=diop`, { token: admin })).body.items).toHaveLength(1);
    }
    expect((await node.central.query('SELECT 1 FROM patients')).rowCount).toBe(1);
    expect((await node.regionale.query('SELECT 1 FROM patients')).rowCount).toBe(0);
  });

  it('refuses a medical id that is taken, though its index would not', async () => {
    const draft = { ...AWA, bloodGroup: undefined, medicalId: 'TAKEN-1' };
    expect((await call(node.url, 'POST /patients', { token: admin, body: draft })).status).toBe(201);
    expect((await call(node.url, 'POST /patients', { token: admin, body: draft })).status).toBe(409);
  });
});
