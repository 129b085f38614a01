import { startApplication, type TestApplication } from '../harness/application.js';
import { call, newAccount } from '../accounts/api.js';

const existingId = '01936b5e-7a10-7c3e-8f21-5b0d6c9e4a72';
const VALID = { familyName: 'Diop', givenNames: 'Awa', birthDate: '1987-03-14', sex: 'female' };
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const yearsAgo = (years: number) => `${new Date().getUTCFullYear() - years}${inDays(0).slice(4, 10)}`;

describe('what a patient may hold', () => {
  let node: TestApplication;
  let token: string;
  let existing: string;

  beforeAll(async () => {
    node = await startApplication();
    token = (await newAccount(node.url, await node.adminToken(), { role: 'medecin', region: 'DKR' })).token;
    existing = (await register(VALID)).body.id;
  });

  afterAll(() => node.stop());

  const register = (body: unknown) => call(node.url, 'POST /patients', { token, body });
  const patch = (body: unknown) => call(node.url, `PATCH /patients/${existing}`, { token, body });
  const count = async () =>
    Number((await node.regionale.query('SELECT count(*) FROM patients')).rows[0].count);

  const UNACCEPTABLE: [string, Record<string, unknown>, string][] = [
    ['a day that the calendar does not have', { birthDate: '2023-02-30' }, 'birthDate'],
    ['a birth tomorrow', { birthDate: inDays(1).slice(0, 10) }, 'birthDate'],
    ['a birth 140 years ago', { birthDate: yearsAgo(140) }, 'birthDate'],
    ['a date in another form', { birthDate: '14/03/1987' }, 'birthDate'],
    ['a year of five digits', { birthDate: '12026-01-01' }, 'birthDate'],
    ['a death before the birth', { deceasedAt: '1980-01-01T00:00:00Z' }, 'deceasedAt'],
    ['a death tomorrow', { deceasedAt: inDays(1) }, 'deceasedAt'],
    ['a death on February 30', { deceasedAt: '2023-02-30T10:00:00Z' }, 'deceasedAt'],
    ['a name of spaces', { familyName: '   ' }, 'familyName'],
    ['an empty name', { givenNames: '' }, 'givenNames'],
    ['a name of zero-width characters', { familyName: '\u200b\u200d\ufeff' }, 'familyName'],
    ['a name of a filler that looks empty', { familyName: '\u3164' }, 'familyName'],
    ['a name with a control character', { familyName: 'Di\u0007op' }, 'familyName'],
    ['a name with U+0000', { familyName: 'Di\u0000op' }, 'familyName'],
    ['a name of 201 characters', { familyName: 'a'.repeat(201) }, 'familyName'],
    ['a national id of a space', { nationalId: ' ' }, 'nationalId'],
    ['a phone number without its country', { phone: '77 123 45 67' }, 'phone'],
    ['a phone number that is none', { phone: 'call me' }, 'phone'],
    ['an e-mail address that is none', { email: 'awa at example.org' }, 'email'],
    ['a country that is too long', { address: { country: 'x'.repeat(101) } }, 'address.country'],
    ['latitude 91', { location: { latitude: 91, longitude: 0 } }, 'location.latitude'],
    ['longitude -181', { location: { latitude: 0, longitude: -181 } }, 'location.longitude'],
    ['half a location', { location: { latitude: 14 } }, 'location.longitude'],
    ['blood group C+', { bloodGroup: 'C+' }, 'bloodGroup'],
    ['a sex that is not on the list', { sex: 'F' }, 'sex'],
    ['an empty allergy', { allergies: ['Pollen', ''] }, 'allergies'],
    ['an allergy twice', { allergies: ['Pollen', ' Pollen'] }, 'allergies'],
    ['101 allergies', { allergies: Array.from({ length: 101 }, (_, n) => `a${n}`) }, 'allergies'],
    ['notes of 10,001 characters', { notes: 'a'.repeat(10_001) }, 'notes'],
    ['a medical id with a space', { medicalId: 'A B' }, 'medicalId'],
    ['a medical id of 65 characters', { medicalId: 'A'.repeat(65) }, 'medicalId'],
    ['no sex', { sex: null }, 'sex'],
  ];

  it.each(UNACCEPTABLE)('refuses %s with 422, in a create and in a patch', async (_, fields, path) => {
    const before = await count();
    for (const answer of [await register({ ...VALID, ...fields }), await patch(fields)]) {
      expect(answer.status).toBe(422);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
    }
    expect(await count()).toBe(before);
  });

  const MALFORMED: [string, Record<string, unknown>, string][] = [
    ['an unknown field', { nickname: 'A' }, 'nickname'],
    ['an id', { id: '01936b5e-7a10-7c3e-8f21-5b0d6c9e4a72' }, 'id'],
    ['a version', { version: 7 }, 'version'],
    ['a region', { region: 'THS' }, 'region'],
    ['a creation time', { createdAt: '2020-01-01T00:00:00Z' }, 'createdAt'],
    ['an author', { updatedBy: 'me' }, 'updatedBy'],
    ['a name that every object inherits', { toString: 'A' }, 'toString'],
    ['another one', { hasOwnProperty: 'A' }, 'hasOwnProperty'],
    ['one in the address', { address: { valueOf: 'A' } }, 'address.valueOf'],
    ['an unknown field of the address', { address: { planet: 'Earth' } }, 'address.planet'],
    ['a number as name', { familyName: 7 }, 'familyName'],
    ['an object as name', { givenNames: { first: 'A' } }, 'givenNames'],
    ['a text as address', { address: 'Dakar' }, 'address'],
    ['a list as address', { address: ['Dakar'] }, 'address'],
    ['a text as latitude', { location: { latitude: '14', longitude: 0 } }, 'location.latitude'],
    ['a text as allergies', { allergies: 'Pollen' }, 'allergies'],
    ['a number as allergy', { allergies: [7] }, 'allergies'],
    ['a number as death', { deceasedAt: 1_700_000_000 }, 'deceasedAt'],
  ];

  it.each(MALFORMED)('refuses %s with 400, in a create and in a patch', async (_, fields, path) => {
    const before = await count();
    for (const answer of [await register({ ...VALID, ...fields }), await patch(fields)]) {
      expect(answer.status).toBe(400);
      expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
    }
    expect(await count()).toBe(before);
  });

  it('names every bad field at once, and no value', async () => {
    const { status, body } = await register({
      familyName: 'Mbacké\u0001',
      birthDate: '2023-02-30',
      phone: '12',
    });

    expect(status).toBe(422);
    expect(new Set(body.errors.map(({ path }: { path: string }) => path))).toEqual(
      new Set(['familyName', 'givenNames', 'birthDate', 'sex', 'phone']),
    );
    expect(JSON.stringify(body)).not.toMatch(/Mbacké|2023-02-30/);
  });

  it.each([
    "N'Diaye-Ó Súilleabháin",
    'محمد الأمين',
    'Ü',
    'Ba 3',
    'X Æ A-12',
    '李',
    'می‌خواهم',
    'Thi\u1ec7n',
    'a'.repeat(200),
    '𝒜wa',
  ])('keeps the name %s as it is', async (name) => {
    const { status, body } = await register({ ...VALID, familyName: name, givenNames: name });

    expect(status).toBe(201);
    expect(body).toMatchObject({ familyName: name, givenNames: name });
    const { body: read } = await call(node.url, `GET /patients/${body.id}`, { token });
    expect(read.familyName).toBe(name);
  });

  it('brings names into the composed form, without the spaces around them', async () => {
    const { body } = await register({ ...VALID, familyName: ` ${'Sène'.normalize('NFD')} ` });
    expect(body.familyName).toBe('Sène'.normalize('NFC'));
  });

  it('takes births of which only the year is known, and a death in that year', async () => {
    const { status, body } = await register({
      ...VALID,
      birthDate: '1950-07-01',
      birthDatePrecision: 'year',
      deceasedAt: '1950-02-01T00:00:00Z',
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ birthDatePrecision: 'year', deceasedAt: '1950-02-01T00:00:00.000Z' });
  });

  it('judges a change of the birth against the death that is known already', async () => {
    const { body } = await register({ ...VALID, deceasedAt: '2000-01-01T00:00:00Z' });
    const answer = await call(node.url, `PATCH /patients/${body.id}`, {
      token,
      body: { birthDate: '2001-01-01' },
    });
    expect(answer.status).toBe(422);
    expect(answer.body.errors[0].path).toBe('deceasedAt');
  });

  it('lets a value that came from elsewhere stand while another is corrected', async () => {
    const { body } = await register(VALID);
    await node.regionale.query(`UPDATE patients SET phone = '771234567' WHERE id = $1`, [body.id]);
    const answer = await call(node.url, `PATCH /patients/${body.id}`, {
      token,
      body: { email: 'awa@example.org' },
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ phone: '771234567', email: 'awa@example.org', version: 3 });
  });

  it.each([
    ['GET /patients/not-a-uuid', 400],
    ['GET /patients/01936b5e-7a10-7c3e-8f21-5b0d6c9e4a72', 404],
    ['GET /patients?limit=1e9', 422],
    ['GET /patients?limit=0', 422],
    ['GET /patients?limit=abc', 400],
    ['GET /patients?sort=password', 400],
    ['GET /patients?sort=toString', 400],
    ['GET /patients?sort=distance', 400],
    ['GET /patients?toString=1', 400],
    ['GET /patients?sort=constructor', 400],
    ['GET /patients?sort=relevance', 400],
    ['GET /patients?cursor=abc', 400],
    ['GET /patients?password=1', 400],
    ['GET /patients?near=somewhere', 400],
    ['GET /patients?near=91,0', 422],
    ['GET /patients?near=', 400],
    ['GET /patients?near=14,-17&radiusKm=', 400],
    ['GET /patients?near=14,-17&radiusKm=far', 400],
    ['GET /patients?near=14,-17&radiusKm=1e4', 422],
    ['GET /patients?birthDate=x', 400],
    ['GET /patients?updatedSince=', 400],
    ['GET /patients?updatedSince=2023-02-30', 422],
    ['GET /patients?radiusKm=5', 422],
    ['GET /patients?near=14,-17&radiusKm=-1', 422],
    ['GET /patients?birthDate=2023-02-30', 422],
    ['GET /patients?updatedSince=yesterday', 400],
    ['GET /patients?q=a%00b', 422],
    ['GET /patients?phone=77', 422],
    ['GET /patients?q=a&q=b', 400],
    ['GET /patients?q=un+deux+trois+quatre+cinq+six+sept', 422],
  ])('answers %s with %i', async (request, status) => {
    const answer = await call(node.url, request, { token });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  it('names every bad filter at once', async () => {
    const bad = 'sort=password&near=somewhere&radiusKm=-1&limit=abc&birthDate=x&sex=F&password=1&cursor=';
    const { status, body } = await call(node.url, `GET /patients?${bad}`, { token });
    expect(status).toBe(400);
    expect(body.errors.map(({ path }: { path: string }) => path).sort()).toEqual(
      ['sort', 'near', 'radiusKm', 'limit', 'birthDate', 'sex', 'password'].sort(),
    );
  });

  it.each([
    ['sort=birthDate', ['birthDate', '9999-99-99', existingId]],
    ['sort=birthDate', ['birthDate', '1987-02-30', existingId]],
    ['sort=updatedAt', ['updatedAt', '2026-13-01 00:00:00+00', existingId]],
    ['sort=updatedAt', ['updatedAt', '2026-01-01 99:00:00+00', existingId]],
    ['sort=birthDate', ['birthDate', '1987-02-03', 'not-a-uuid']],
    ['sort=birthDate', ['familyName', 'a', 'b', existingId]],
    ['sort=createdAt', [{ $gt: '' }, existingId]],
    ['q=diop', ['relevance', '77777777777777', existingId]],
    ['sort=createdAt', 'x'.repeat(3_000)],
  ])('answers a forged cursor for %s with 400: %j', async (query, values) => {
    const cursor = Buffer.from(JSON.stringify(values)).toString('base64url');
    for (const forged of [cursor, `${cursor}!`, '']) {
      const { status, body } = await call(node.url, `GET /patients?${query}&cursor=${forged}`, { token });
      expect([status, body.errors?.map(({ path }: { path: string }) => path)]).toEqual([400, ['cursor']]);
    }
  });

  it('never takes a medical id away', async () => {
    const { body: before } = await call(node.url, `GET /patients/${existing}`, { token });
    const headers = { 'if-match': '*' };
    for (const request of [`PATCH /patients/${existing}`, `PUT /patients/${existing}`]) {
      const answer = await call(node.url, request, { token, headers, body: { ...VALID, medicalId: null } });
      expect([answer.status, answer.body.errors]).toEqual([
        422,
        [{ path: 'medicalId', message: 'is required' }],
      ]);
    }
    expect((await call(node.url, `GET /patients/${existing}`, { token })).body).toEqual(before);
  });

  it.each([[[]], ['text'], [7], [null]])('refuses the body %j of a patch with 400', async (body) => {
    expect((await patch(body)).status).toBe(400);
  });
});
