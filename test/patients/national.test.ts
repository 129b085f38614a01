import { startApplication, type TestApplication } from '../harness/application.js';
import { until } from '../harness/until.js';
import { call, newAccount } from '../accounts/api.js';

const AWA = {
  familyName: 'Diop',
  givenNames: 'Awa',
  birthDate: '1987-03-14',
  sex: 'female',
  bloodGroup: 'O+',
};

describe('the look-up over all regions', () => {
  let node: TestApplication;
  let doctor: string;
  let nurse: string;

  beforeAll(async () => {
    node = await startApplication();
    const admin = await node.adminToken();
    doctor = (await newAccount(node.url, admin, { role: 'medecin', region: 'DKR' })).token;
    nurse = (await newAccount(node.url, admin, { role: 'secretaire', region: 'DKR' })).token;
  });

  afterAll(() => node.stop());

  it('finds a patient of another region, who is nowhere in this one', async () => {
    const { body } = await call(node.url, 'POST /patients', { token: doctor, body: AWA });
    await until(
      async () => (await node.central.query('SELECT 1 FROM patients WHERE id = $1', [body.id])).rowCount,
      { what: 'the patient at central' },
    );
    await node.central.query(
      `INSERT INTO patients SELECT (jsonb_populate_record(p, $1)).* FROM patients p WHERE id = $2`,
      [{ id: '01936b5e-7a10-7c3e-8f21-5b0d6c9e4a72', medical_id: 'THS-1', region: 'THS' }, body.id],
    );

    const { body: list } = await call(node.url, 'GET /national/patients?q=diop&total=true', {
      token: doctor,
    });
    expect(list.items.map(({ region }: { region: string }) => region).sort()).toEqual(['DKR', 'THS']);
    const one = await call(node.url, 'GET /national/patients/01936b5e-7a10-7c3e-8f21-5b0d6c9e4a72', {
      token: doctor,
    });
    expect(one.status).toBe(200);
    expect(one.headers.get('etag')).toBe('"v1"');
    expect(one.body).toMatchObject({ ...AWA, region: 'THS' });
    const here = await call(node.url, 'GET /patients/01936b5e-7a10-7c3e-8f21-5b0d6c9e4a72', {
      token: doctor,
    });
    expect(here.status).toBe(404);
  });

  it('answers 404 for a patient that nobody has, and 403 for a role without the right', async () => {
    const nobody = 'GET /national/patients/01936b5e-7a10-7c3e-8f21-000000000000';
    expect((await call(node.url, nobody, { token: doctor })).status).toBe(404);
    expect((await call(node.url, 'GET /national/patients', { token: nurse })).status).toBe(403);
  });
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
