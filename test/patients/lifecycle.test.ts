import { startApplication, type TestApplication } from '../harness/application.js';
import { call, newAccount } from '../accounts/api.js';

const AWA = {
  familyName: "N'Diaye-Ó Súilleabháin",
  givenNames: 'Awa',
  birthDate: '1987-03-14',
  sex: 'female',
};

describe('a patient', () => {
  let node: TestApplication;
  let admin: string;
  let doctor: { id: string; token: string };

  beforeAll(async () => {
    node = await startApplication();
    admin = await node.adminToken();
    doctor = await newAccount(node.url, admin, { role: 'medecin', region: 'DKR' });
  });

  afterAll(() => node.stop());

  const as = (token: string) => (request: string, body?: unknown, headers?: Record<string, string>) =>
    call(node.url, request, { token, body, headers });
  const doctorDoes = (request: string, body?: unknown, headers?: Record<string, string>) =>
    as(doctor.token)(request, body, headers);
  const register = async (fields: object = {}) =>
    (await doctorDoes('POST /patients', { ...AWA, ...fields })).body;
  const journalOf = async (id: string) =>
    (
      await node.regionale.query(
        'SELECT op, before, after, reason FROM journal WHERE patient_id = $1 ORDER BY seq',
        [id],
      )
    ).rows;

  it('is registered in one transaction with its journal entry', async () => {
    const { status, headers, body } = await doctorDoes('POST /patients', {
      ...AWA,
      phone: '+221 77 123 45 67',
    });

    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/api/v1/patients/${body.id}`);
    expect(headers.get('etag')).toMatch(/^"v1-[0-9a-f]{8}"$/);
    expect(headers.get('x-sync-state')).toBe('pending');
    expect(body).toMatchObject({
      ...AWA,
      phone: '+221771234567',
      region: 'DKR',
      birthDatePrecision: 'day',
      usedName: null,
      allergies: [],
      version: 1,
      createdBy: doctor.id,
    });
    expect(body.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(body.medicalId).toMatch(/^DKR-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-Z]$/);
    const [entry, ...others] = await journalOf(body.id);
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ op: 'insert', before: null, after: { family_name: AWA.familyName } });
  });

  it('is read back as it was answered', async () => {
    const created = await register({
      givenNames: 'عائشة',
      usedName: 'X',
      address: { line: '12 rue Félix Faure', city: 'Dakar', country: 'SN', district: null },
      location: { latitude: 14.67, longitude: -17.44 },
      allergies: ['Pénicilline', 'Arachide'],
      deceasedAt: '2024-02-29T23:30:00+01:00',
      notes: 'ligne 1\nligne 2',
    });
    const { status, headers, body } = await doctorDoes(`GET /patients/${created.id}`);

    expect(status).toBe(200);
    expect(body).toEqual(created);
    expect(body.address).toEqual({ line: '12 rue Félix Faure', city: 'Dakar', country: 'SN' });
    expect(body.deceasedAt).toBe('2024-02-29T22:30:00.000Z');
    expect(headers.get('etag')).toMatch(/^"v1-[0-9a-f]{8}"$/);
    expect(headers.get('x-sync-state')).toMatch(/^(pending|synced)$/);
  });

  const etagOf = async (id: string) => (await doctorDoes(`GET /patients/${id}`)).headers.get('etag')!;

  it('is changed by a merge patch, member by member', async () => {
    const { id, ...before } = await register({
      address: { line: 'rue 1', city: 'Thiès' },
      email: 'a@example.org',
    });
    const { status, headers, body } = await doctorDoes(
      `PATCH /patients/${id}?reason=d%C3%A9m%C3%A9nagement`,
      { address: { line: null, district: 'Nord' }, email: null, phone: '00221771234567' },
      { 'if-match': await etagOf(id), 'content-type': 'application/merge-patch+json' },
    );

    expect(status).toBe(200);
    expect(headers.get('etag')).toMatch(/^"v2-[0-9a-f]{8}"$/);
    expect(body).toEqual({
      ...before,
      id,
      address: { city: 'Thiès', district: 'Nord' },
      email: null,
      phone: '+221771234567',
      version: 2,
      updatedAt: body.updatedAt,
    });
    const [, update] = await journalOf(id);
    expect(Object.keys(update.after).sort()).toEqual(['address', 'email', 'phone', 'updated_at', 'version']);
    expect(update.reason).toBe('déménagement');
  });

  it('keeps its version, and the journal silent, when a change changes nothing', async () => {
    const created = await register({ phone: '+221771234567' });
    const { status, headers, body } = await doctorDoes(`PATCH /patients/${created.id}`, {
      phone: '+221 77 123 45 67',
      familyName: AWA.familyName.normalize('NFD'),
      email: null,
    });

    expect(status).toBe(200);
    expect(headers.get('etag')).toMatch(/^"v1-[0-9a-f]{8}"$/);
    expect(body).toEqual(created);
    expect(await journalOf(created.id)).toHaveLength(1);
  });

  it('is replaced only by who says which version, and loses what is not repeated', async () => {
    const { id, medicalId } = await register({ email: 'a@example.org', bloodGroup: 'O+' });
    const next = { ...AWA, givenNames: 'Awa Marie', bloodGroup: 'O-' };

    expect((await doctorDoes(`PUT /patients/${id}`, next)).status).toBe(428);
    expect((await doctorDoes(`PUT /patients/${id}`, next, { 'if-match': '"v7"' })).status).toBe(412);
    const { status, body } = await doctorDoes(`PUT /patients/${id}`, next, { 'if-match': await etagOf(id) });

    expect(status).toBe(200);
    expect(body).toMatchObject({ ...next, medicalId, email: null, version: 2 });
  });

  it('is not changed on a stale copy, and with strict handling not without one', async () => {
    const { id } = await register();
    const stale = { 'if-match': await etagOf(id) };
    await doctorDoes(`PATCH /patients/${id}`, { birthPlace: 'Saint-Louis' });

    expect((await doctorDoes(`PATCH /patients/${id}`, { birthPlace: 'Podor' }, stale)).status).toBe(412);
    const strict = await doctorDoes(
      `PATCH /patients/${id}`,
      { birthPlace: 'Podor' },
      { prefer: 'handling=strict' },
    );
    expect(strict.status).toBe(428);
    expect((await doctorDoes(`GET /patients/${id}`)).body).toMatchObject({
      birthPlace: 'Saint-Louis',
      version: 2,
    });
  });

  it('is deleted by an administrator, and what was deleted stays readable in its history', async () => {
    const { id } = await register({ notes: 'à garder' });
    expect((await doctorDoes(`DELETE /patients/${id}`)).status).toBe(403);
    const { status } = await as(admin)(`DELETE /patients/${id}?reason=doublon`, undefined, {
      'if-match': await etagOf(id),
    });

    expect(status).toBe(204);
    expect((await doctorDoes(`GET /patients/${id}`)).status).toBe(404);
    expect((await as(admin)(`DELETE /patients/${id}`)).status).toBe(404);
    expect((await doctorDoes(`GET /patients/${id}/history`)).status).toBe(404);
    const { body: history } = await as(admin)(`GET /patients/${id}/history`);
    expect(history.items.map(({ op }: { op: string }) => op)).toEqual(['insert', 'remove']);
    expect(history.items[1]).toMatchObject({ reason: 'doublon', changes: { notes: ['à garder', null] } });
  });

  it('is registered once, however often the request is repeated', async () => {
    const key = { 'idempotency-key': 'registration-1' };
    const draft = { ...AWA, familyName: 'Unique' };
    const answers = await Promise.all([1, 2, 3].map(() => doctorDoes('POST /patients', draft, key)));

    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect((await doctorDoes('POST /patients', { ...draft, sex: 'other' }, key)).status).toBe(422);
    const { body } = await doctorDoes('GET /patients?familyName=unique&total=true');
    expect(body.total).toBe(1);
  });

  it('keeps the medical id that the client gave, and nobody else gets it', async () => {
    const { id, medicalId } = await register({ medicalId: 'HALD/2026-001' });
    expect(medicalId).toBe('HALD/2026-001');

    const clash = await doctorDoes('POST /patients', { ...AWA, medicalId });
    expect(clash.status).toBe(409);
    expect(clash.body.errors).toEqual([{ path: 'medicalId', message: expect.any(String) }]);
    const other = await register();
    expect((await doctorDoes(`PATCH /patients/${other.id}`, { medicalId })).status).toBe(409);
    expect((await doctorDoes(`GET /patients/${id}`)).body.medicalId).toBe(medicalId);
  });

  it('gets a medical id of its own when a hundred are registered at once', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => doctorDoes('POST /patients', AWA)));

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body.medicalId)).size).toBe(100);
  });
});
