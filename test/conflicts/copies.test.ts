import { randomUUID } from 'node:crypto';
import { call, newAccount } from '../accounts/api.js';
import { startApplication, type TestApplication } from '../harness/application.js';

const FATOU = { familyName: 'Mbacké', givenNames: 'Fatou', birthDate: '1979-02-03', sex: 'female' };

describe('a patient of another region, whose file this one holds as a copy', () => {
  let node: TestApplication;
  let thies: { id: string; token: string };
  let dakar: { id: string; token: string };
  let adminOfDakar: string;

  beforeAll(async () => {
    node = await startApplication();
    const admin = await node.adminToken();
    thies = await newAccount(node.url, admin, { role: 'medecin', region: 'THS' });
    dakar = await newAccount(node.url, admin, { role: 'medecin', region: 'DKR' });
    adminOfDakar = (await newAccount(node.url, admin, { role: 'admin_regional', region: 'DKR' })).token;
  });

  afterAll(() => node.stop());

  const as = (token: string) => (request: string, body?: unknown, headers?: Record<string, string>) =>
    call(node.url, request, { token, body, headers });
  const registerInThies = async (fields = {}) =>
    (await as(thies.token)('POST /patients', { ...FATOU, ...fields })).body.id as string;
  const copyTo = (region: string, patientId: string) =>
    node.regionale.query(
      `INSERT INTO hosts (id, patient_id, region, kind, created_at, created_by)
       VALUES ($1, $2, $3, 'copy', now(), 'test')`,
      [randomUUID(), patientId, region],
    );

  it('is not known here before the copy, and is like our own from then on, by every way', async () => {
    const id = await registerInThies({ familyName: 'Sonko-Mbacké', medicalId: 'THS-COPIED' });
    const ways = [
      `GET /patients/${id}`,
      `GET /patients/${id}/history`,
      `GET /patients/${id}/sync`,
      `PATCH /patients/${id}`,
    ];
    const lists = [
      'GET /patients?total=true&q=sonko',
      // Two slips: found by another query than exact words.
      'GET /patients?total=true&q=sunko%20mbeckee',
      'GET /patients?total=true&medicalId=THS-COPIED',
    ];
    const tryAll = async () => [
      ...(await Promise.all(
        ways.map(
          async (way) =>
            (await as(dakar.token)(way, way.startsWith('PATCH') ? { phone: '+221771234567' } : undefined))
              .status,
        ),
      )),
      ...(await Promise.all(
        lists.map(async (list) => {
          const { body } = await as(dakar.token)(list);
          return [body.items.length, body.total];
        }),
      )),
    ];

    expect(await tryAll()).toEqual([404, 404, 404, 404, [0, 0], [0, 0], [0, 0]]);
    await copyTo('KLK', id);
    expect(await tryAll()).toEqual([404, 404, 404, 404, [0, 0], [0, 0], [0, 0]]);
    await copyTo('DKR', id);
    expect(await tryAll()).toEqual([200, 200, 200, 200, [1, 1], [1, 1], [1, 1]]);
    expect((await as(dakar.token)(`GET /patients/${id}`)).body).toMatchObject({
      region: 'THS',
      phone: '+221771234567',
      updatedBy: dakar.id,
    });
  });

  it('a copy of one patient does not show another one of its region', async () => {
    const [copied, other] = [await registerInThies(), await registerInThies()];
    await copyTo('DKR', copied);
    expect((await as(dakar.token)(`GET /patients/${copied}`)).status).toBe(200);
    expect((await as(dakar.token)(`GET /patients/${other}`)).status).toBe(404);
    expect((await as(thies.token)(`GET /patients/${other}`)).status).toBe(200);
  });

  it('deleted, it has a history for the administrators of the regions that held it', async () => {
    const id = await registerInThies();
    const other = await registerInThies();
    await copyTo('DKR', id);
    expect((await as(adminOfDakar)(`DELETE /patients/${id}`)).status).toBe(204);
    expect((await as(adminOfDakar)(`GET /patients/${id}/history`)).body.items.at(-1)).toMatchObject({
      op: 'remove',
      entity: 'patients',
    });
    await node.regionale.query('DELETE FROM patients WHERE id = $1', [other]);
    expect((await as(adminOfDakar)(`GET /patients/${other}/history`)).status).toBe(404);
  });

  it('has an ETag that tells its content, where two nodes gave one version to two contents', async () => {
    const id = await registerInThies();
    const read = async () => (await as(thies.token)(`GET /patients/${id}`)).headers.get('etag')!;
    const etag = await read();
    expect(etag).toMatch(/^"v1-[0-9a-f]{8}"$/);
    expect(await read()).toBe(etag);

    // As a merge would: the same version, and another content.
    await node.regionale.query(`BEGIN; SET LOCAL medlink.capture = 'app';
      UPDATE patients SET birth_place = 'Thiès' WHERE id = '${id}'; COMMIT`);
    expect((await as(thies.token)(`GET /patients/${id}`)).body.version).toBe(1);
    expect(await read()).not.toBe(etag);
    const stale = await as(thies.token)(`PATCH /patients/${id}`, { sex: 'other' }, { 'if-match': etag });
    expect(stale.status).toBe(412);
    const fresh = { 'if-match': await read() };
    expect((await as(thies.token)(`PATCH /patients/${id}`, { sex: 'other' }, fresh)).status).toBe(200);
  });

  it('whose hidden fields change keeps its content’s digest for who may not see them', async () => {
    const admin = await node.adminToken();
    const secretary = (await newAccount(node.url, admin, { role: 'secretaire', region: 'THS' })).token;
    const id = await registerInThies({ bloodGroup: 'A+' });
    const digest = async (token: string) =>
      (await as(token)(`GET /patients/${id}`)).headers.get('etag')!.split('-')[1];
    const [seen, hidden] = [await digest(thies.token), await digest(secretary)];
    await node.regionale.query(`BEGIN; SET LOCAL medlink.capture = 'app';
      UPDATE patients SET blood_group = 'B-' WHERE id = '${id}'; COMMIT`);
    expect(await digest(secretary)).toBe(hidden);
    expect(await digest(thies.token)).not.toBe(seen);
  });

  it('of a create is the one that a read gives, whatever the order of what was sent', async () => {
    const address = { country: 'SN', city: 'Thiès', line: '1 rue A' };
    const created = await as(thies.token)('POST /patients', { ...FATOU, address, phone: '00221771234567' });
    const read = await as(thies.token)(`GET /patients/${created.body.id}`);
    expect(read.headers.get('etag')).toBe(created.headers.get('etag'));
  });
});
