import { jest } from '@jest/globals';
import { DataRouter } from '../../src/routing/data-router.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { call, newAccount } from '../accounts/api.js';

const ROWS = 20_000;

/** Twenty thousand made-up people whose names none of the tests looks for. */
const CROWD = `
  INSERT INTO patients (id, medical_id, region, family_name, given_names, birth_date, birth_date_precision, sex, phone,
    national_id, location, allergies, chronic_conditions, version, created_at, updated_at, created_by, updated_by)
  SELECT uuidv7(), 'CROWD-' || i, 'DKR', (ARRAY['Fall','Sarr','Gueye','Kane','Diallo','Mbaye','Seck'])[1 + i % 7] ||
      chr(97 + i % 26) || chr(97 + i / 26 % 26), (ARRAY['Fatou','Moussa','Ousmane','Khady'])[1 + i % 4], date '1950-01-01' + i,
    'day', 'female', '+2217' || 10000000 + i, 'C' || i, jsonb_build_object('latitude', -5 - i % 80 / 10.0, 'longitude', 20),
    '{}', '{}', 1, now(), now() - interval '1 day', 'test', 'test'
  FROM generate_series(1, ${ROWS}) i`;

const PEOPLE = [
  {
    familyName: "N'Diaye",
    givenNames: 'Aïssatou Marième',
    birthDate: '1987-03-14',
    nationalId: 'SN-1',
    phone: '+221771234567',
  },
  {
    familyName: 'Ndiaye-Sow',
    usedName: 'Bâ',
    givenNames: 'Élodie',
    birthDate: '1990-01-01',
    medicalId: 'HALD_2026/01',
  },
  {
    familyName: 'Sène',
    givenNames: 'Ibrahima 100%',
    birthDate: '1950-05-05',
    location: { latitude: 14.6937, longitude: -17.4441 },
  },
  {
    familyName: 'Thiès_Lô',
    givenNames: 'محمد',
    birthDate: '1999-09-09',
    location: { latitude: 14.791, longitude: -16.9256 },
  },
];

describe('finding patients', () => {
  let node: TestApplication;
  let token: string;
  const found: Record<string, any>[] = [];

  beforeAll(async () => {
    node = await startApplication();
    token = (await newAccount(node.url, await node.adminToken(), { role: 'secretaire', region: 'DKR' }))
      .token;
    await node.regionale.query(`SET medlink.capture = 'app'`);
    await node.regionale.query(CROWD);
    await node.regionale.query('VACUUM ANALYZE patients');
    for (const person of PEOPLE) {
      found.push(
        (await call(node.url, 'POST /patients', { token, body: { sex: 'unknown', ...person } })).body,
      );
    }
  });

  afterAll(() => node.stop());

  const find = (query: Record<string, string>) =>
    call(node.url, `GET /patients?${new URLSearchParams(query).toString()}`, { token });
  const names = async (query: Record<string, string>) =>
    (await find(query)).body.items.map(({ familyName }: { familyName: string }) => familyName);

  it.each([
    ['ndiaye', ['Ndiaye-Sow', "N'Diaye"], 'without accents, apostrophes and capitals'],
    ['N’DIAYE', ['Ndiaye-Sow', "N'Diaye"], 'with another apostrophe'],
    ['aissatou ndiaye', ["N'Diaye"], 'words in any order'],
    ['ndi marie', ["N'Diaye"], 'the beginnings of words'],
    ['ba elodie', ['Ndiaye-Sow'], 'the used name'],
    ['ndaiye', ['Ndiaye-Sow', "N'Diaye"], 'two letters exchanged'],
    ['ndyaye', ['Ndiaye-Sow', "N'Diaye"], 'a wrong letter'],
    ['aissatu', ["N'Diaye"], 'a missing letter'],
    ['aisssatou', ["N'Diaye"], 'a letter too many'],
    ['محمد', ['Thiès_Lô'], 'Arabic'],
    ['hald_2026', ['Ndiaye-Sow'], 'the beginning of a medical id'],
    ['saw', ['Ndiaye-Sow'], 'a wrong letter in three'],
    ['sne', ['Sène'], 'too few letters'],
    ['asissatuo', ["N'Diaye"], 'two slips in a long word'],
    ['ibrhaimma', ['Sène'], 'two others'],
    ['eisatou mareime', ["N'Diaye"], 'two slips in each of two'],
    ['ndaiye aisatuo', ["N'Diaye"], 'one slip in a short word and two in a long one'],
    ['eizattuo', [], 'not four'],
    ['elidoy', [], 'not two in a word that is not long'],
    ['iaye', [], 'not the middle of a word'],
    ['100%', ['Sène'], 'a percent sign that means itself'],
    ['%', [], 'a percent sign alone'],
    ['thies_lo', ['Thiès_Lô'], 'an underscore that means itself'],
    ["' OR 1=1 --", [], 'SQL'],
    ['\\', [], 'a backslash'],
  ])('q=%s finds %j: %s', async (q, expected) => {
    expect((await names({ q })).sort()).toEqual([...expected].sort());
  });

  it('finds a generated medical id with any one slip in it', async () => {
    const id = found[0]!.medicalId as string;
    const wrong = id.slice(0, 5) + (id[5] === 'X' ? 'Y' : 'X') + id.slice(6);
    for (const q of [
      id,
      id.toLowerCase(),
      id.replaceAll('-', ''),
      id.replaceAll('-', ' '),
      wrong,
      id.slice(0, -1),
    ]) {
      expect(await names({ q })).toEqual(["N'Diaye"]);
    }
  });

  it('puts whole words before beginnings, and beginnings before slips', async () => {
    const made: string[] = [];
    for (const familyName of ['Zubo', 'Zuba', 'Zubara', 'Zubarra', 'Zuba-Ly']) {
      const body = { familyName, givenNames: 'Zoé', birthDate: '2000-01-01', sex: 'female' };
      made.push((await call(node.url, 'POST /patients', { token, body })).body.id);
    }
    expect(await names({ q: 'zuba' })).toEqual(['Zuba-Ly', 'Zuba', 'Zubarra', 'Zubara', 'Zubo']);
    const pages: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await find({ q: 'zuba', limit: '2', ...(cursor !== '' && { cursor }) });
      pages.push(...body.items.map(({ familyName }: { familyName: string }) => familyName));
      cursor = body.nextCursor;
    }
    expect(pages).toEqual(['Zuba-Ly', 'Zuba', 'Zubarra', 'Zubara', 'Zubo']);
    for (const id of made) await call(node.url, `DELETE /patients/${id}`, { token: await node.adminToken() });
  });

  it('pages and counts those who are found by two slips', async () => {
    const q = 'ousmanne';
    const [first, twoSlips] = [await find({ q, limit: '100' }), 'osmaane'];
    expect(first.body.items).toHaveLength(100);
    const page = await find({ q: twoSlips, limit: '100', total: 'true' });
    const { body } = await find({ q: twoSlips, limit: '100', cursor: page.body.nextCursor });
    expect(page.body.total).toBe(ROWS / 4);
    expect(new Set([...page.body.items, ...body.items].map(({ id }) => id)).size).toBe(200);
    expect(body.items[0].givenNames).toBe('Ousmane');
  });

  it('puts the matches without a slip first', async () => {
    const body = { familyName: 'Ndiayo', givenNames: 'Zoé', birthDate: '2000-01-01', sex: 'female' };
    const { body: slip } = await call(node.url, 'POST /patients', { token, body });
    expect(await names({ q: 'ndiaye' })).toEqual(['Ndiaye-Sow', "N'Diaye", 'Ndiayo']);
    await call(node.url, `DELETE /patients/${slip.id}`, { token: await node.adminToken() });
  });

  it('finds a name that somebody was given later, with a slip in it too', async () => {
    const body = { familyName: 'Sagna', givenNames: 'Zoé', birthDate: '2000-01-01', sex: 'female' };
    const { body: made } = await call(node.url, 'POST /patients', { token, body });
    await call(node.url, `PATCH /patients/${made.id}`, { token, body: { usedName: 'Koulibaly' } });
    await node.regionale.query(`UPDATE patients SET given_names = 'Philomène' WHERE id = $1`, [made.id]);
    for (const q of ['kouli', 'koulibali', 'filomene', 'philomène sagna'])
      expect(await names({ q })).toEqual(['Sagna']);
    await call(node.url, `DELETE /patients/${made.id}`, { token: await node.adminToken() });
    expect(await names({ q: 'koulibaly' })).toEqual([]);
  });

  it.each([
    [{ familyName: 'SEN' }, ['Sène']],
    [{ familyName: 'ndiaye sow' }, ['Ndiaye-Sow']],
    [{ familyName: 'diaye' }, []],
    [{ givenNames: 'aissatou mar' }, ["N'Diaye"]],
    [{ givenNames: 'mar' }, ["N'Diaye"]],
    [{ givenNames: 'marieme aiss' }, ["N'Diaye"]],
    [{ givenNames: 'arieme' }, []],
    [{ givenNames: 'ndiaye' }, []],
    [{ birthDate: '1990-01-01' }, ['Ndiaye-Sow', expect.any(String)]],
    [{ birthDate: '1990-01-01', sex: 'unknown' }, ['Ndiaye-Sow']],
    [{ medicalId: 'HALD_2026/01' }, ['Ndiaye-Sow']],
    [{ medicalId: 'HALD_2026/0' }, []],
    [{ nationalId: 'SN-1' }, ["N'Diaye"]],
    [{ phone: '+221 77 123 45 67' }, ["N'Diaye"]],
    [{ near: '14.69,-17.44' }, ['Sène']],
    [{ near: '14.69,-17.44', radiusKm: '60' }, ['Sène', 'Thiès_Lô']],
    [{ near: '14.69,-17.44', radiusKm: '56' }, ['Sène']],
    [{ near: '14.69,-17.44', radiusKm: '0.1' }, []],
  ])('%j finds %j', async (query, expected) => {
    expect(await names(query as Record<string, string>)).toEqual(expected);
  });

  it('gives what changed since an instant', async () => {
    const since = new Date(Date.now() - 3_600_000).toISOString();
    expect((await names({ updatedSince: since, sort: 'updatedAt' })).slice(0, 4)).toEqual(
      PEOPLE.map(({ familyName }) => familyName),
    );
    expect(await names({ updatedSince: new Date(Date.now() + 60_000).toISOString() })).toEqual([]);
  });

  it.each([
    'createdAt',
    '-createdAt',
    'updatedAt',
    '-updatedAt',
    'familyName',
    '-familyName',
    'birthDate',
    '-birthDate',
  ])(
    'sorted by %s, pages leave nobody out and repeat nobody, whatever is inserted meanwhile',
    async (sort) => {
      const query = { givenNames: 'Khady', familyName: 'fall', limit: '200', sort };
      const ids: string[] = [];
      let inserted: string | undefined;
      for (let cursor: string | null = ''; cursor !== null;) {
        const page = await find(cursor === '' ? query : { ...query, cursor });
        ids.push(...page.body.items.map(({ id }: { id: string }) => id));
        cursor = page.body.nextCursor;
        const body = { familyName: 'Fall', givenNames: 'Khady', birthDate: '1940-01-01', sex: 'female' };
        inserted ??= (await call(node.url, 'POST /patients', { token, body })).body.id;
      }
      const crowd = ids.filter((id) => id !== inserted);
      expect(crowd).toHaveLength(new Set(crowd).size);
      expect(crowd).toHaveLength(Math.ceil(ROWS / 28));
      const { status, body } = await call(node.url, `DELETE /patients/${inserted}`, {
        token: await node.adminToken(),
      });
      expect([status, body]).toEqual([204, undefined]);
    },
  );

  it('pages through matches by relevance and by distance as well', async () => {
    const words = await find({ q: 'fatou', limit: '100' });
    const wordsNext = await find({ q: 'fatou', limit: '100', cursor: words.body.nextCursor });
    const near = await find({ near: '-7,20', radiusKm: '100', limit: '100' });
    const nearNext = await find({
      near: '-7,20',
      radiusKm: '100',
      limit: '100',
      cursor: near.body.nextCursor,
    });
    for (const [first, second] of [
      [words, wordsNext],
      [near, nearNext],
    ] as const) {
      expect(new Set([...first.body.items, ...second.body.items].map(({ id }) => id)).size).toBe(200);
    }
    expect((await find({ q: 'fatou', sort: 'birthDate', cursor: words.body.nextCursor })).status).toBe(400);
  });

  it.each([
    [{ q: 'ndaiye aissatou' }, 'patients_names'],
    [{ q: 'ndaiye' }, 'patients_names'],
    [{ q: 'saw' }, 'patients_names'],
    [{ givenNames: 'mar' }, 'patients_names'],
    [{ q: 'HALD_2026/01' }, 'patients_medical_id'],
    [{ familyName: 'ndi' }, 'patients_family_name'],
    [{ sort: 'familyName' }, 'patients_family_name'],
    [{ givenNames: 'aissatou' }, 'patients_names'],
    [{ phone: '+221771234567' }, 'patients_phone'],
    [{ nationalId: 'SN-1' }, 'patients_national_id'],
    [{ medicalId: 'HALD_2026/01' }, 'patients_medical_id'],
    [{ birthDate: '1990-01-01' }, 'patients_birth_date'],
    [{ near: '14.69,-17.44' }, 'patients_location'],
  ])(`%j among ${ROWS} is looked up in the index %s`, async (query, index) => {
    const plan = await planOf(() => find(query));
    expect(plan).toMatch(new RegExp(`Index.* (on|using) ${index}\\b`));
    expect(plan).not.toContain('Seq Scan on patients');
  });

  /** How PostgreSQL runs the statement with which the application answers `request`. */
  async function planOf(request: () => Promise<{ body: { items: unknown[] } }>): Promise<string> {
    const source = node.app.get(DataRouter).home;
    const logQuery = jest.spyOn(source.logger, 'logQuery');
    expect((await request()).body.items.length).toBeGreaterThan(0);
    const [sql, parameters] = logQuery.mock.calls.find(([text]) => text.includes('"key0"'))!;
    logQuery.mockRestore();
    const { rows } = await node.regionale.query(`EXPLAIN ${sql}`, parameters as unknown[]);
    return rows.map((row: Record<string, string>) => row['QUERY PLAN']).join('\n');
  }
});
