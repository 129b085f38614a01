import { startApplication, type TestApplication } from '../harness/application.js';
import { call, newAccount } from '../accounts/api.js';

const IDENTITY = {
  familyName: 'Diop',
  givenNames: 'Awa',
  birthDate: '1987-03-14',
  sex: 'female',
  nationalId: 'N1',
};
const CONTACT = { phone: '+221771234567', email: 'awa@example.org' };
const CLINICAL = { bloodGroup: 'O+', allergies: ['Pénicilline'], notes: 'note' };
const ALL = { ...IDENTITY, ...CONTACT, ...CLINICAL };
const NEW = {
  identity: { birthPlace: 'Podor' },
  contact: { phone: '+221776543210' },
  clinical: { notes: 'autre' },
};
type Group = keyof typeof NEW;

/** The contract's table: who reads and writes which fields, and who deletes. */
const ROLES: [string, { reads: Group[]; writes: Group[]; deletes: boolean }][] = [
  [
    'medecin',
    {
      reads: ['identity', 'contact', 'clinical'],
      writes: ['identity', 'contact', 'clinical'],
      deletes: false,
    },
  ],
  ['specialiste', { reads: ['identity', 'contact', 'clinical'], writes: ['clinical'], deletes: false }],
  ['infirmier', { reads: ['identity', 'contact', 'clinical'], writes: ['contact'], deletes: false }],
  ['secretaire', { reads: ['identity', 'contact'], writes: ['identity', 'contact'], deletes: false }],
  [
    'admin_regional',
    { reads: ['identity', 'contact', 'clinical'], writes: ['identity', 'contact'], deletes: true },
  ],
  [
    'admin_national',
    { reads: ['identity', 'contact', 'clinical'], writes: ['identity', 'contact'], deletes: true },
  ],
];

describe('who may see and change what of a patient', () => {
  let node: TestApplication;
  const tokens = new Map<string, string>();
  let elsewhere: string;

  beforeAll(async () => {
    node = await startApplication();
    const admin = await node.adminToken();
    const account = async (role: string, region: string | null) =>
      (await newAccount(node.url, admin, { role, region })).token;
    for (const [role] of ROLES)
      tokens.set(role, await account(role, role === 'admin_national' ? null : 'DKR'));
    tokens.set('auditeur', await account('auditeur', null));
    elsewhere = await account('medecin', 'THS');
  });

  afterAll(() => node.stop());

  const as = (role: string) => (request: string, body?: unknown, headers?: Record<string, string>) =>
    call(node.url, request, { token: tokens.get(role)!, body, headers });
  const register = async () => (await as('medecin')('POST /patients', ALL)).body as { id: string };

  it.each(ROLES)(
    '%s sees the fields of its groups, in a patient, a list and a history',
    async (role, { reads }) => {
      const { id } = await register();
      const hidden = reads.includes('clinical')
        ? []
        : ['bloodGroup', 'allergies', 'chronicConditions', 'notes'];
      const { body: one } = await as(role)(`GET /patients/${id}`);
      const { body: list } = await as(role)('GET /patients?limit=1');
      const { body: history } = await as(role)(`GET /patients/${id}/history`);

      expect(one).toMatchObject({ ...IDENTITY, ...CONTACT, ...(reads.includes('clinical') ? CLINICAL : {}) });
      for (const seen of [one, list.items[0], history.items[0].changes]) {
        for (const field of hidden) expect(seen).not.toHaveProperty(field);
        expect(seen).toHaveProperty('familyName');
      }
    },
  );

  it.each(ROLES)('%s sets the fields of its groups and no others', async (role, { writes }) => {
    const { id } = await register();
    for (const group of ['identity', 'contact', 'clinical'] as const) {
      const { status, body } = await as(role)(`PATCH /patients/${id}`, NEW[group]);
      expect([group, status]).toEqual([group, writes.includes(group) ? 200 : 403]);
      if (status === 403) expect(body.errors[0].path).toBe(Object.keys(NEW[group])[0]);
    }
    const { body: after } = await as('medecin')(`GET /patients/${id}`);
    expect(after).toMatchObject({ ...ALL, ...Object.assign({}, ...writes.map((group) => NEW[group])) });
  });

  it.each(ROLES)('%s registers patients only with its own fields', async (role, { writes }) => {
    const whole = await as(role)('POST /patients', ALL);
    const own = await as(role)('POST /patients', { ...IDENTITY, ...CONTACT });
    expect(whole.status).toBe(writes.length === 3 ? 201 : 403);
    expect(own.status).toBe(writes.includes('identity') && writes.includes('contact') ? 201 : 403);
  });

  it.each(ROLES)('%s deletes patients, or may not', async (role, { deletes }) => {
    const { id } = await register();
    expect((await as(role)(`DELETE /patients/${id}`)).status).toBe(deletes ? 204 : 403);
  });

  it('an auditor sees no patient at all', async () => {
    const { id } = await register();
    for (const request of [
      'GET /patients',
      `GET /patients/${id}`,
      `GET /patients/${id}/history`,
      'GET /national/patients',
    ]) {
      expect((await as('auditeur')(request)).status).toBe(403);
    }
  });

  it.each(ROLES)('%s may send back what it has just read', async (role) => {
    const { id } = await register();
    const { headers, body } = await as(role)(`GET /patients/${id}`);
    const readOnly = ['id', 'region', 'version', 'createdAt', 'updatedAt', 'createdBy', 'updatedBy'];
    const fields = Object.fromEntries(Object.entries(body).filter(([field]) => !readOnly.includes(field)));
    const ifMatch = { 'if-match': headers.get('etag')! };

    const same = await as(role)(`PUT /patients/${id}`, fields, ifMatch);
    expect([same.status, same.body]).toEqual([200, body]);
    const whole = await as(role)(`PUT /patients/${id}`, body, ifMatch);
    expect(whole.status).toBe(400);
    expect(whole.body.errors).toEqual(readOnly.map((path) => ({ path, message: 'is read-only' })));
  });

  it('what a change of the birth is judged by is no secret', async () => {
    const { id } = await register();
    await as('medecin')(`PATCH /patients/${id}`, { deceasedAt: '2000-01-01T00:00:00Z' });
    const { status, body } = await as('secretaire')(`PATCH /patients/${id}`, { birthDate: '2001-01-01' });

    expect([status, body.errors]).toEqual([
      422,
      [{ path: 'deceasedAt', message: 'must not be before the birth' }],
    ]);
    expect((await as('secretaire')(`GET /patients/${id}`)).body.deceasedAt).toBe('2000-01-01T00:00:00.000Z');
  });

  it('a replacement by a role leaves what the role may not set as it was', async () => {
    const { id } = await register();
    const ifMatch = { 'if-match': '*' };
    const { body } = await as('secretaire')(
      `PUT /patients/${id}`,
      { ...IDENTITY, phone: CONTACT.phone },
      ifMatch,
    );
    expect(body).toMatchObject({ ...IDENTITY, phone: CONTACT.phone, email: null });
    expect((await as('medecin')(`GET /patients/${id}`)).body).toMatchObject(CLINICAL);

    const readAgain = await as('infirmier')(`PUT /patients/${id}`, { ...IDENTITY, ...NEW.contact }, ifMatch);
    expect(readAgain.status).toBe(200);
    const beyond = await as('infirmier')(`PUT /patients/${id}`, { ...IDENTITY, sex: 'other' }, ifMatch);
    expect(beyond.status).toBe(403);
  });

  it('a value that a role may not see cannot be guessed by sending it back', async () => {
    const { id } = await register();
    const ifMatch = { 'if-match': '*' };
    for (const bloodGroup of ['O+', 'A-']) {
      expect((await as('secretaire')(`PATCH /patients/${id}`, { bloodGroup })).status).toBe(403);
      expect(
        (await as('secretaire')(`PUT /patients/${id}`, { ...IDENTITY, bloodGroup }, ifMatch)).status,
      ).toBe(403);
    }
  });

  it('an update of hidden fields alone is no entry of the history that the role reads', async () => {
    const { id } = await register();
    await as('medecin')(`PATCH /patients/${id}`, { notes: 'secret' });
    await as('medecin')(`PATCH /patients/${id}`, { notes: 'secret 2', phone: '+221776543210' });
    const { body } = await as('secretaire')(`GET /patients/${id}/history?total=true`);

    expect(body.total).toBe(2);
    expect(body.items.map(({ op }: { op: string }) => op)).toEqual(['insert', 'update']);
    expect(body.items[1].changes).toEqual({ phone: [CONTACT.phone, '+221776543210'] });
    expect(JSON.stringify(body)).not.toMatch(/secret|P\u00e9nicilline/);
  });

  it('a patient of another region does not exist, by whatever route', async () => {
    const { id } = await register();
    const away = (request: string, body?: unknown, headers?: Record<string, string>) =>
      call(node.url, request, { token: elsewhere, body, headers });

    expect((await away(`GET /patients/${id}`)).status).toBe(404);
    expect((await away(`GET /patients/${id}/history`)).status).toBe(404);
    expect((await away(`PATCH /patients/${id}`, { birthPlace: 'x' })).status).toBe(404);
    expect((await away(`PUT /patients/${id}`, IDENTITY, { 'if-match': '*' })).status).toBe(404);
    expect((await away('GET /patients?total=true')).body).toEqual({ items: [], nextCursor: null, total: 0 });
    expect((await away('GET /patients?q=diop')).body.items).toEqual([]);

    const own = await away('POST /patients', IDENTITY);
    expect(own.body.region).toBe('THS');
    expect((await as('medecin')(`GET /patients/${own.body.id}`)).status).toBe(404);
    expect((await as('admin_regional')(`DELETE /patients/${own.body.id}`)).status).toBe(404);
    expect((await as('admin_national')(`GET /patients/${own.body.id}`)).status).toBe(200);
  });

  it('a deleted patient of another region has no history', async () => {
    const { id } = await register();
    await as('admin_regional')(`DELETE /patients/${id}`);
    const other = (
      await newAccount(node.url, await node.adminToken(), { role: 'admin_regional', region: 'THS' })
    ).token;
    expect((await call(node.url, `GET /patients/${id}/history`, { token: other })).status).toBe(404);
    expect((await as('admin_regional')(`GET /patients/${id}/history`)).status).toBe(200);
  });
});
