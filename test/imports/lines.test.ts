import { randomBytes } from 'node:crypto';
import { call, newAccount } from '../accounts/api.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { count, finished, formOf, importAll, send } from './import-api.js';

const patient = (id: string, more: object = {}) =>
  JSON.stringify({
    resourceType: 'Patient',
    id,
    name: [{ use: 'official', family: `Diop ${id}`, given: ['Awa'] }],
    gender: 'female',
    birthDate: '1987-03-14',
    ...more,
  });
const allergy = (id: string, text: string, more: object = {}) =>
  JSON.stringify({
    resourceType: 'AllergyIntolerance',
    id: `allergy-${id}`,
    code: { text },
    patient: { reference: `Patient/${id}` },
    ...more,
  });
const state = (code: string) => ({ coding: [{ code }] });

describe('lines of a file', () => {
  let node: TestApplication;
  let token: string;

  const csv = (body: string, query = '') => importAll(node.url, body, { token, type: 'text/csv', query });
  const ndjson = (...lines: string[]) => importAll(node.url, lines.join('\n'), { token });
  const named = async (familyName: string) =>
    (await node.regionale.query('SELECT * FROM patients WHERE family_name = $1', [familyName])).rows[0];

  beforeAll(async () => {
    node = await startApplication();
    token = await node.adminToken();
  });

  afterAll(() => node.stop());

  it('that are wrong are told by their number and field, and never keep the others out', async () => {
    const run = await ndjson(
      patient('good-1'),
      '{"resourceType": "Patient", "id": "secret-value"',
      patient('bad-date', { birthDate: '2023-02-30' }),
      '',
      JSON.stringify({ resourceType: 'Observation', id: 'o1' }),
      JSON.stringify({ resourceType: 'Observation', id: 'o2' }),
      patient('bad-twice', { name: [{ family: ' ' }], gender: 'secret-value' }),
      allergy('nobody', 'Latex'),
      '[1]',
      patient('phone', { telecom: [{ system: 'phone', value: 'secret-value' }] }),
      patient('good-2'),
    );

    expect(run).toMatchObject({ state: 'done', total: 10, created: 3, skipped: 2, failed: 5 });
    expect(run.errors.map((error: any) => [error.line, error.level, error.path])).toEqual([
      [2, 'error', ''],
      [3, 'error', 'birthDate'],
      [5, 'skipped', ''],
      [7, 'error', 'familyName'],
      [7, 'error', 'givenNames'],
      [7, 'error', 'sex'],
      [8, 'error', 'patient.reference'],
      [9, 'error', ''],
      [10, 'warning', 'telecom'],
    ]);
    expect(run.errors[0].message).toBe('The line is not JSON.');
    expect(JSON.stringify(run)).not.toMatch(/secret-value|2023-02-30/);
    expect(await named('Diop good-2')).toMatchObject({ given_names: 'Awa' });
    expect(await named('Diop phone')).toMatchObject({ phone: null });
    expect(await count(node, 'patients')).toBe(3);
  });

  it('about a patient who was imported earlier reach that patient', async () => {
    const run = await ndjson(
      allergy('good-1', 'Arachide'),
      allergy('good-1', 'Arachide'),
      allergy('good-1', 'Pollen', { clinicalStatus: state('resolved') }),
      allergy('good-1', 'Kiwi', { verificationStatus: state('refuted') }),
    );

    expect(run).toMatchObject({ total: 4, updated: 1, unchanged: 1, skipped: 2, failed: 0 });
    expect((await named('Diop good-1')).allergies).toEqual(['Arachide']);
  });

  it('do not take away what people wrote since', async () => {
    const { id } = await named('Diop good-2');
    const body = { phone: '+221771234567', address: { city: 'Dakar' } };
    expect((await call(node.url, `PATCH /patients/${id}`, { token, body })).status).toBe(200);

    const run = await ndjson(patient('good-2', { gender: undefined }));

    expect(run).toMatchObject({ unchanged: 1 });
    expect(await named('Diop good-2')).toMatchObject({
      phone: '+221771234567',
      address: { city: 'Dakar' },
      sex: 'female',
      version: 2,
    });
  });

  it('do not bring back who was removed', async () => {
    const { id } = await named('Diop good-2');
    expect((await call(node.url, `DELETE /patients/${id}`, { token })).status).toBe(204);

    const run = await ndjson(patient('good-2'), allergy('good-2', 'Latex'));

    expect(run).toMatchObject({ created: 0, updated: 0, skipped: 2, failed: 0 });
    expect(await named('Diop good-2')).toBeUndefined();
  });

  it('keep patients of two systems apart that both begin to count at 1', async () => {
    const of = (system: string) => patient('1', { identifier: [{ system, value: '1' }], birthDate: '1990' });
    expect(await ndjson(of('https://fann.example'))).toMatchObject({ created: 1 });

    const clash = await ndjson(of('https://principal.example'));
    expect(clash).toMatchObject({ created: 0, updated: 0, failed: 1 });
    expect(clash.errors[0]).toMatchObject({ line: 1, path: 'id' });

    const apart = await importAll(node.url, of('https://principal.example'), {
      token,
      query: '?source=principal',
    });
    expect(apart).toMatchObject({ created: 1, failed: 0 });
    expect(await named('Diop 1')).toMatchObject({ birth_date_precision: 'year' });
  });

  it('of CSV have the names of the API, and are known again by their source', async () => {
    const file = [
      'sourceSystem,sourceId,familyName,givenNames,birthDate,sex,phone,address.city,address.country,allergies,medicalId',
      `dhis2,17,"N'Diaye, dite ""Ndèye""",Aïssatou,1987-03,female,77 123 45 67,Dakar,SN,Pénicilline|Latex,MAT-17`,
      'dhis2,18,Sow,Moussa,1990-02-30,male,,,,,',
      'dhis2,19,"Fall\nou Faal",Ibou,1950,male,,Thiès,SN,,',
      ',,Ba,Khady,2001-05-06,female,,,,,',
      'dhis2,20,Kane,Oumar,1999-01-01,male,,,,,MAT-17',
      'dhis2,21,Sy,Ali,1999-01-01,male,,,,,,too many',
    ].join('\r\n');

    const run = await csv(file);

    expect(run).toMatchObject({ state: 'done', format: 'csv', total: 6, created: 2, failed: 4 });
    expect(run.errors.map(({ line, path }: any) => [line, path])).toEqual([
      [3, 'birthDate'],
      [4, 'familyName'],
      [7, 'medicalId'],
      [8, ''],
    ]);
    expect(await named(`N'Diaye, dite "Ndèye"`)).toMatchObject({
      medical_id: 'MAT-17',
      birth_date_precision: 'month',
      phone: '+221771234567',
      address: { city: 'Dakar', country: 'SN' },
      allergies: ['Pénicilline', 'Latex'],
    });
    expect(await csv(file)).toMatchObject({ created: 0, unchanged: 2, failed: 4 });
    expect(await csv(file.replace('Dakar', 'Rufisque'))).toMatchObject({
      created: 0,
      updated: 1,
      unchanged: 1,
    });
  });

  it('of a French spreadsheet are separated by semicolons', async () => {
    const run = await csv(
      'familyName;givenNames;birthDate;sex;notes\nGuèye;Fatou;1980-01-01;female;"a; b"\n;;;;\n',
    );

    expect(run).toMatchObject({ state: 'done', total: 1, created: 1 });
    expect(await named('Guèye')).toMatchObject({ notes: 'a; b' });
  });

  it.each([
    ['without a header', 'Secret,Awa,1987-01-01\n', 'column 1 is not one of the known names'],
    ['with half of a header', 'familyName,sex\nSecret,male\n', '"givenNames" is missing'],
    ['that never closes a quotation mark', 'familyName,givenNames,birthDate,sex\n"Secret,A\n', 'line 2'],
    [
      'in another encoding',
      Buffer.from('familyName,givenNames,birthDate,sex\nS\xe9cret,A,1987,male', 'latin1'),
      'UTF-8',
    ],
  ])('of a CSV file %s fail as a whole, and say why', async (_, body, reason) => {
    const run = await importAll(node.url, body, { token, type: 'text/csv' });

    expect(run).toMatchObject({ state: 'failed', created: 0 });
    expect(run.error).toContain(reason);
    expect(run.error).not.toContain('Secret');
  });

  it('are told a hundred at a time', async () => {
    const run = await ndjson(...Array.from({ length: 150 }, () => 'nonsense'));

    expect(run).toMatchObject({ failed: 150 });
    expect(run.errors).toHaveLength(100);
    const { body } = await call(node.url, `GET /imports/${run.id}?errorsCursor=${run.errorsCursor}`, {
      token,
    });
    expect(body.errors.map((error: any) => error.line)).toEqual(
      Array.from({ length: 50 }, (_, at) => at + 101),
    );
    expect(body.errorsCursor).toBeNull();
  });

  it('one of which the database refuses leave the rest of their batch in', async () => {
    // Longer than an entry of an index can be, however well it is compressed.
    const endless = randomBytes(20_000).toString('hex');
    const refused = patient(endless, { name: [{ family: 'Diop', given: ['Awa'] }] });
    const run = await ndjson(patient('before'), refused, patient('after'));

    expect(run).toMatchObject({ state: 'done', created: 2, failed: 1 });
    expect(run.errors).toEqual([
      { file: 1, line: 2, level: 'error', path: '', message: 'holds a value that the database refuses' },
    ]);
  });

  it('that are too long are told and passed over', async () => {
    const run = await ndjson('x'.repeat(2 * 1024 * 1024), patient('after-long'));

    expect(run).toMatchObject({ created: 1, failed: 1 });
    expect(run.errors[0]).toMatchObject({ line: 1, message: 'is longer than a mebibyte' });
  });

  describe('are taken', () => {
    it('once for one Idempotency-Key', async () => {
      const headers = { 'idempotency-key': 'import-of-today' };
      const first = await send(node.url, patient('key'), { token, headers });
      const again = await send(node.url, patient('key'), { token, headers });
      const other = await send(node.url, patient('other'), { token, headers });

      expect([first.status, again.status, other.status]).toEqual([202, 202, 422]);
      expect(again.body.id).toBe(first.body.id);
      expect(first.headers.get('location')).toBe(`/api/v1/imports/${first.body.id}`);
      expect(await finished(node.url, token, first.body.id)).toMatchObject({ created: 1 });
    });

    it.each(['application/ndjson', 'application/jsonl', 'application/x-ndjson; charset=utf-8'])(
      'as %s',
      async (type) => {
        const run = await importAll(node.url, patient(`as ${type}`), { token, type });
        expect(run).toMatchObject({ state: 'done', format: 'ndjson', created: 1 });
      },
    );

    it('from administrators of this region alone', async () => {
      const doctor = await newAccount(node.url, token, { role: 'medecin', region: 'DKR' });
      const own = await newAccount(node.url, token, { role: 'admin_regional', region: 'DKR' });
      const other = await newAccount(node.url, token, { role: 'admin_regional', region: 'THS' });
      const sent = (caller: { token: string }) => send(node.url, patient('role'), { token: caller.token });

      expect((await sent(doctor)).status).toBe(403);
      expect((await sent(other)).status).toBe(403);
      const { status, body } = await sent(own);
      expect(status).toBe(202);
      await finished(node.url, own.token, body.id);
      expect((await call(node.url, `GET /imports/${body.id}`, other)).status).toBe(404);
      expect((await call(node.url, 'GET /imports', other)).status).toBe(403);
      expect((await call(node.url, 'GET /imports?limit=1&total=true', own)).body).toMatchObject({
        items: [{ id: body.id, state: 'done' }],
      });
    });

    it('in no other form', async () => {
      for (const type of ['application/json', 'text/plain', 'text/csv; charset=latin1']) {
        const { status, body } = await send(node.url, patient('json'), { token, type });
        expect([type, status]).toEqual([type, 415]);
        expect(body.detail).toMatch(/fhir\+ndjson.*application\/jsonl.*text\/csv/);
      }
      expect((await send(node.url, '', { token })).status).toBe(422);
      expect((await send(node.url, formOf({ 'patients.xlsx': 'x' }), { token })).status).toBe(415);
      const broken = { token, type: 'multipart/form-data; boundary=x' };
      expect((await send(node.url, '--x\r\ncontent-disposition: nonsense', broken)).status).toBe(400);
      const form = formOf({ 'a.csv': 'x' });
      form.append('field', 'value');
      expect((await send(node.url, form, { token })).status).toBe(400);
      expect((await send(node.url, patient('x'), { token, query: '?source=a%20b' })).status).toBe(422);
      expect((await send(node.url, patient('x'), { token, query: '?unknown=1' })).status).toBe(400);
    });
  });
});
