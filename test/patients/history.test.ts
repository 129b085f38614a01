import { startApplication, type TestApplication } from '../harness/application.js';
import { call, newAccount } from '../accounts/api.js';

const AWA = { familyName: 'Diop', givenNames: 'Awa', birthDate: '1987-03-14', sex: 'female' };

describe('the history of a patient', () => {
  let node: TestApplication;
  let doctor: { id: string; token: string };

  beforeAll(async () => {
    node = await startApplication();
    doctor = await newAccount(node.url, await node.adminToken(), { role: 'medecin', region: 'DKR' });
  });

  afterAll(() => node.stop());

  const doctorDoes = (request: string, body?: unknown, headers?: Record<string, string>) =>
    call(node.url, request, { token: doctor.token, body, headers });
  const register = async () => (await doctorDoes('POST /patients', AWA)).body.id as string;

  it('tells who changed what, when, where, why, from which value to which', async () => {
    const id = await register();
    const deceasedAt = '2024-02-29T22:30:00.000Z';
    await doctorDoes(
      `PATCH /patients/${id}?reason=correction`,
      { familyName: 'Diopp', allergies: ['Iode'], deceasedAt },
      { 'x-request-id': 'the-request' },
    );
    const { body, headers } = await doctorDoes(`GET /patients/${id}/history`);

    expect(headers.get('x-sync-state')).toMatch(/pending|synced/);
    expect(body.nextCursor).toBeNull();
    expect(body.items[0].changes).toMatchObject({
      familyName: [null, 'Diop'],
      birthDate: [null, '1987-03-14'],
    });
    expect(body.items[1]).toEqual({
      seq: expect.any(Number),
      op: 'update',
      entity: 'patients',
      entityId: id,
      at: expect.stringMatching(/Z$/),
      actor: doctor.id,
      actorName: 'Test medecin',
      role: 'medecin',
      reason: 'correction',
      requestId: 'the-request',
      origin: 'DKR',
      changes: { familyName: ['Diop', 'Diopp'], allergies: [[], ['Iode']], deceasedAt: [null, deceasedAt] },
    });
  });

  it('comes in pages, and what happens meanwhile is on the last', async () => {
    const id = await register();
    for (const birthPlace of ['a', 'b', 'c']) await doctorDoes(`PATCH /patients/${id}`, { birthPlace });
    const first = await doctorDoes(`GET /patients/${id}/history?limit=3&total=true`);
    await doctorDoes(`PATCH /patients/${id}`, { birthPlace: 'd' });
    const next = first.headers.get('link')!.match(/^<\/api\/v1(.*)>; rel="next"$/)![1]!;
    const second = await doctorDoes(`GET ${next}`);

    const places = [...first.body.items, ...second.body.items].map(({ changes }) => changes.birthPlace?.[1]);
    expect(places).toEqual([undefined, 'a', 'b', 'c', 'd']);
    expect([first.body.total, second.body.total]).toEqual([4, 5]);
    expect(second.body.nextCursor).toBeNull();
    expect((await doctorDoes(`GET /patients/${id}/history?cursor=WyJ4Il0`)).status).toBe(400);
  });

  it('also holds what went round the application', async () => {
    const id = await register();
    await node.regionale.query(`UPDATE patients SET birth_place = 'Kaolack' WHERE id = $1`, [id]);
    const { body } = await doctorDoes(`GET /patients/${id}/history`);

    expect(body.items).toHaveLength(2);
    expect(body.items[1]).toMatchObject({
      op: 'update',
      role: 'database',
      changes: { birthPlace: [null, 'Kaolack'] },
    });
    expect((await doctorDoes(`GET /patients/${id}`)).body.version).toBe(2);
  });
});
