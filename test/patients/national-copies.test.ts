import { call, newAccount, type CallOptions } from '../accounts/api.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { until } from '../harness/until.js';
import { startTwoRegions, type TwoRegions } from '../relay/two-regions.js';

const AWA = { familyName: 'Diop', givenNames: 'Awa', birthDate: '1987-03-14', sex: 'female' };
const NOBODY = '01936b5e-7a10-7c3e-8f21-000000000000';
const REASON = { reason: 'Admise aux urgences de Thiès' };

describe('a patient of Dakar who comes to Thiès', () => {
  let world: TwoRegions;
  let doctor: { id: string; token: string };
  let admin: Map<TestApplication, string>;

  beforeAll(async () => {
    world = await startTwoRegions();
    admin = new Map([
      [world.dkr, await world.dkr.adminToken()],
      [world.ths, await world.ths.adminToken()],
    ]);
    doctor = await newAccount(world.ths.url, admin.get(world.ths)!, { role: 'medecin', region: 'THS' });
  });
  afterAll(() => world.stop());

  const asDoctor = (request: string, options: Omit<CallOptions, 'token'> = {}) =>
    call(world.ths.url, request, { token: doctor.token, ...options });
  const registered = async () => {
    const answer = await call(world.dkr.url, 'POST /patients', { token: admin.get(world.dkr)!, body: AWA });
    const { id } = answer.body as { id: string };
    await until(() => world.row(world.central, id), { what: 'central has the patient' });
    return id;
  };
  const hostsOf = async (id: string) =>
    (await world.central.query('SELECT region, kind FROM hosts WHERE patient_id = $1 ORDER BY region', [id]))
      .rows;

  it('is brought there on a doctor’s word, and both regions know who asked and why', async () => {
    const id = await registered();
    expect((await asDoctor(`GET /patients/${id}`)).status).toBe(404);
    const asked = await asDoctor(`POST /national/patients/${id}/copy`, { body: REASON });
    expect([asked.status, asked.body]).toEqual([202, { patientId: id, region: 'THS', state: 'requested' }]);
    expect(await hostsOf(id)).toEqual([
      { region: 'DKR', kind: 'home' },
      { region: 'THS', kind: 'copy' },
    ]);

    await until(async () => (await asDoctor(`GET /patients/${id}`)).status === 200, { what: 'the copy' });
    await world.settled();
    for (const node of [world.dkr, world.ths]) {
      const { body } = await call(node.url, `GET /patients/${id}/history`, { token: admin.get(node)! });
      const copy = body.items.find(({ changes }: any) => changes.kind?.[1] === 'copy');
      expect(copy).toMatchObject({ entity: 'hosts', op: 'insert', origin: 'central', ...REASON });
      expect(copy).toMatchObject({ actor: doctor.id, actorName: 'Test medecin', role: 'medecin' });
      expect(copy.changes).toEqual({ region: [null, 'THS'], kind: [null, 'copy'] });
    }
  });

  it('is brought once: whoever asks again is told that it is there', async () => {
    const id = await registered();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => asDoctor(`POST /national/patients/${id}/copy`, { body: REASON })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 202]);
    expect(await hostsOf(id)).toHaveLength(2);
    const again = () => asDoctor(`POST /national/patients/${id}/copy`, { body: REASON });
    await until(async () => (await again()).body.state === 'arrived', { what: 'Thiès says that it has it' });
    expect((await again()).status).toBe(200);
  });

  it('is asked for once with one key, and by another reason with another', async () => {
    const id = await registered();
    const path = `POST /national/patients/${id}/copy`;
    const headers = { 'idempotency-key': `copy-${id}` };
    const first = await asDoctor(path, { body: REASON, headers });
    const replayed = await asDoctor(path, { body: REASON, headers });
    expect([replayed.status, replayed.body]).toEqual([202, first.body]);
    expect(replayed.headers.get('idempotency-replayed')).toBe('true');
    expect((await asDoctor(path, { body: { reason: 'autre' }, headers })).status).toBe(422);
  });

  it('needs no copy at home', async () => {
    const id = await registered();
    const home = await call(world.dkr.url, `POST /national/patients/${id}/copy`, {
      token: admin.get(world.dkr)!,
      body: REASON,
    });
    expect([home.status, home.body]).toEqual([200, { patientId: id, region: 'DKR', state: 'home' }]);
    expect(await hostsOf(id)).toEqual([{ region: 'DKR', kind: 'home' }]);
  });

  it('is brought to the doctor’s own region only', async () => {
    const id = await registered();
    const elsewhere = await asDoctor(`POST /national/patients/${id}/copy`, {
      body: { ...REASON, region: 'DKR' },
    });
    expect([elsewhere.status, elsewhere.body.errors[0].path]).toEqual([403, 'region']);
    expect(await hostsOf(id)).toEqual([]);
    const own = await asDoctor(`POST /national/patients/${id}/copy`, { body: { ...REASON, region: 'THS' } });
    expect(own.status).toBe(202);
  });

  it.each([
    ['nothing', {}, 422],
    ['a blank reason', { reason: ' \u200b ' }, 422],
    ['a reason that is too long', { reason: 'x'.repeat(501) }, 422],
    ['a reason that cannot be stored', { reason: 'a\u0000b' }, 422],
    ['a number', { reason: 7 }, 400],
    ['what is unknown', { ...REASON, urgent: true }, 400],
  ])('is not brought for %s', async (_, body, status) => {
    const id = await registered();
    expect((await asDoctor(`POST /national/patients/${id}/copy`, { body })).status).toBe(status);
    expect(await hostsOf(id)).toEqual([]);
  });

  it('must be somebody', async () => {
    expect((await asDoctor(`POST /national/patients/${NOBODY}/copy`, { body: REASON })).status).toBe(404);
    expect((await asDoctor('POST /national/patients/awa/copy', { body: REASON })).status).toBe(400);
  });

  it.each([
    ['specialiste', 202],
    ['admin_regional', 202],
    ['infirmier', 403],
    ['secretaire', 403],
    ['auditeur', 403],
  ])('asked for by a %s: %d', async (role, status) => {
    const id = await registered();
    const { token } = await newAccount(world.ths.url, admin.get(world.ths)!, { role, region: 'THS' });
    const answer = await call(world.ths.url, `POST /national/patients/${id}/copy`, { token, body: REASON });
    expect(answer.status).toBe(status);
    expect(await hostsOf(id)).toHaveLength(status === 202 ? 2 : 0);
  });

  it('is not brought to a region that is stopped', async () => {
    const id = await registered();
    const stop = (enabled: boolean) =>
      world.central.query(`UPDATE regions SET enabled = $1 WHERE code = 'THS'`, [enabled]);
    await stop(false);
    const answer = await asDoctor(`POST /national/patients/${id}/copy`, { body: REASON });
    await stop(true);
    expect([answer.status, answer.body.type]).toEqual([
      409,
      'https://medlink.example/problems/region-disabled',
    ]);
    expect(await hostsOf(id)).toEqual([]);
  });
});

describe('at central', () => {
  let node: TestApplication;
  let token: string;
  let id: string;

  beforeAll(async () => {
    node = await startApplication({ MEDLINK_NODE: 'central' });
    token = await node.adminToken();
    for (const code of ['DKR', 'THS', 'MTM'])
      await call(node.url, 'POST /regions', { token, body: { code, name: code } });
    await node.central.query(`UPDATE regions SET enabled = false WHERE code = 'MTM'`);
    ({ id } = (await call(node.url, 'POST /patients', { token, body: AWA })).body);
  });
  afterAll(() => node.stop());

  const copy = (body: object) => call(node.url, `POST /national/patients/${id}/copy`, { token, body });

  it.each([
    ['names no region', REASON],
    ['names one that is stopped', { ...REASON, region: 'MTM' }],
    ['names one that is not there', { ...REASON, region: 'XX' }],
    ['names what is no code', { ...REASON, region: 'ths' }],
  ])('who %s is told so', async (_, body) => {
    const { status, body: problem } = await copy(body);
    expect([status, problem.errors[0].path]).toEqual([422, 'region']);
    expect((await node.central.query(`SELECT FROM hosts WHERE kind = 'copy'`)).rowCount).toBe(0);
  });

  it('a national administrator sends a copy to a region', async () => {
    const { status, body } = await copy({ ...REASON, region: 'THS' });
    expect([status, body]).toEqual([202, { patientId: id, region: 'THS', state: 'requested' }]);
    const { rows } = await node.central.query(
      `SELECT d.region FROM deliveries d JOIN journal j USING (seq) JOIN hosts h ON h.id = j.entity_id
       WHERE h.region = 'THS' ORDER BY 1`,
    );
    expect(rows).toEqual([{ region: 'DKR' }, { region: 'THS' }]);
  });
});
