import { call, newAccount } from '../accounts/api.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { until } from '../harness/until.js';

const PATIENT = {
  familyName: 'Canari',
  givenNames: 'Awa',
  birthDate: '1987-03-14',
  sex: 'female',
  phone: '+221771234567',
  notes: 'secret-clinique',
};
const VALUES = ['Canari', 'Awa', '1987-03-14', '+221771234567', '+221770000001', 'secret-clinique'];

interface Entry {
  readonly seq: number;
  readonly entity: string;
  readonly entityId: string;
  readonly patientId: string | null;
  readonly op: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly fields: string[];
  readonly changes: Record<string, [unknown, unknown]>;
}

describe('the journal of a node', () => {
  let node: TestApplication;
  const accounts = new Map<string, { id: string; token: string }>();
  const patients = {} as Record<'dakar' | 'thies' | 'gone' | 'shared', string>;

  beforeAll(async () => {
    node = await startApplication();
    const admin = await node.adminToken();
    for (const [role, region] of [
      ...['medecin', 'specialiste', 'infirmier', 'secretaire', 'admin_regional', 'auditeur'].flatMap(
        (each) => [[each, 'DKR'] as const, [each, 'THS'] as const],
      ),
      ['admin_national', null] as const,
      ['auditeur', null] as const,
    ])
      accounts.set(`${role} ${region}`, await newAccount(node.url, admin, { role, region }));
    const register = async (region: string) =>
      (await as(`medecin ${region}`, 'POST /patients', PATIENT)).body.id as string;
    patients.dakar = await register('DKR');
    patients.thies = await register('THS');
    patients.gone = await register('THS');
    patients.shared = await register('DKR');
    await as('medecin DKR', `PATCH /patients/${patients.dakar}?reason=appel`, { phone: '+221770000001' });
    await as('admin_regional THS', `DELETE /patients/${patients.gone}?reason=doublon`);
    await becomeHost(patients.shared, 'THS');
  });
  afterAll(() => node.stop());

  const as = (who: string, request: string, body?: unknown) =>
    call(node.url, request, { token: accounts.get(who)!.token, body });
  const read = async (who: string, query = ''): Promise<Entry[]> =>
    (await as(who, `GET /sync/journal?limit=200${query}`)).body.items;
  /** As a downlink brings it. */
  const becomeHost = async (patientId: string, region: string) => {
    await node.regionale.query(`SET medlink.capture = 'app'`);
    await node.regionale.query(
      `INSERT INTO hosts (id, patient_id, region, kind, created_at, created_by)
       VALUES (gen_random_uuid(), $1, $2, 'copy', now(), 'test')`,
      [patientId, region],
    );
    await node.regionale.query('RESET medlink.capture');
  };
  const patientsOf = (entries: Entry[]) => new Set(entries.flatMap(({ patientId }) => patientId ?? []));

  it('tells a national administrator everything, in the order in which it was written', async () => {
    const entries = await read('admin_national null');
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map(({ seq }) => seq).toSorted((a, b) => a - b));
    expect(patientsOf(entries)).toEqual(new Set(Object.values(patients)));
    const change = entries.find(({ op, patientId }) => op === 'update' && patientId === patients.dakar);
    expect(change).toMatchObject({
      entity: 'patients',
      entityId: patients.dakar,
      origin: 'DKR',
      originSeq: change!.seq,
      incarnation: 1,
      capturedBy: 'application',
      actor: accounts.get('medecin DKR')!.id,
      actorName: 'Test medecin',
      role: 'medecin',
      reason: 'appel',
      fields: ['phone'],
      changes: { phone: ['+221771234567', '+221770000001'] },
    });
    const registered = entries.find(({ op, patientId }) => op === 'insert' && patientId === patients.dakar);
    expect(registered!.fields).toEqual(expect.arrayContaining(['familyName', 'notes', 'phone']));
    expect(registered!.fields).not.toContain('email');
    expect(registered!.changes).toMatchObject({ notes: [null, 'secret-clinique'] });
  });

  it.each([
    ['admin_regional DKR', ['dakar', 'shared']],
    ['auditeur DKR', ['dakar', 'shared']],
    ['admin_regional THS', ['thies', 'gone', 'shared']],
    ['auditeur THS', ['thies', 'gone', 'shared']],
    ['auditeur null', ['dakar', 'thies', 'gone', 'shared']],
  ] as const)('tells %s of %j, and of nobody else', async (who, known) => {
    const entries = await read(who);
    expect(patientsOf(entries)).toEqual(new Set(known.map((name) => patients[name])));
    const { body } = await as(who, 'GET /sync/journal?total=true&limit=1');
    expect(body.total).toBe(entries.length);
    for (const [name, id] of Object.entries(patients)) {
      const found = [await read(who, `&patientId=${id}`), await read(who, `&entityId=${id}`)];
      const isKnown = (known as readonly string[]).includes(name);
      expect([name, found.map(({ length }) => length > 0)]).toEqual([name, [isKnown, isKnown]]);
    }
  });

  it.each(['auditeur DKR', 'auditeur THS', 'auditeur null'])(
    'tells %s who changed which fields, and no value of a patient',
    async (who) => {
      const answer = await as(who, 'GET /sync/journal?limit=200');
      const text = JSON.stringify(answer.body);
      for (const value of VALUES) expect(text).not.toContain(value);
      const entries = (answer.body.items as Entry[]).filter(({ entity }) => entity === 'patients');
      expect(entries.length).toBeGreaterThan(0);
      for (const { fields, changes } of entries) {
        expect(changes).toEqual({});
        expect(fields.length).toBeGreaterThan(0);
      }
    },
  );

  it.each(
    ['medecin', 'specialiste', 'infirmier', 'secretaire'].flatMap((role) => [`${role} DKR`, `${role} THS`]),
  )('is not for a %s', async (who) => {
    expect((await as(who, 'GET /sync/journal')).status).toBe(403);
  });

  it('shows of a conflict that it is there, and not what is disputed', async () => {
    await node.regionale.query(
      `INSERT INTO conflicts (id, patient_id, entity, entity_id, region, kind, severity, state, fields,
                              version, created_at, updated_at, created_by, updated_by)
       VALUES (gen_random_uuid(), $1, 'patients', $1, 'DKR', 'fields', 'high', 'open',
               '{"notes": {"regional": {"value": "secret-clinique"}}}', 1, now(), now(), 'test', 'test')`,
      [patients.dakar],
    );
    for (const who of ['admin_national null', 'auditeur null']) {
      const [conflict] = await read(who, '&entity=conflicts');
      expect(conflict!.changes).toMatchObject({ state: [null, 'open'], severity: [null, 'high'] });
      expect(JSON.stringify(conflict)).not.toContain('secret-clinique');
      expect(conflict!.fields).toContain('fields');
    }
  });

  it('has what belongs to everyone', async () => {
    await until(async () => (await read('auditeur DKR', '&entity=regions')).length > 0, {
      what: 'the region',
    });
    const [region] = await read('auditeur DKR', '&entity=regions');
    expect(region).toMatchObject({ patientId: null, origin: 'central', changes: { code: [null, 'DKR'] } });
  });

  it('is filtered by what is asked for', async () => {
    const all = await read('admin_national null', '&entity=patients');
    const doctor = accounts.get('medecin THS')!.id;
    const middle = (await as('admin_national null', 'GET /sync/journal?entity=patients&limit=3')).body
      .items[2];
    const cases: [string, (entry: Entry & { at: string; origin: string }) => boolean][] = [
      [`&entityId=${patients.gone}`, ({ entityId }) => entityId === patients.gone],
      [`&patientId=${patients.gone}`, ({ patientId }) => patientId === patients.gone],
      [`&actor=${doctor}`, ({ actor }) => actor === doctor],
      ['&op=remove', ({ op }) => op === 'remove'],
      ['&origin=DKR', ({ origin }) => origin === 'DKR'],
      ['&origin=central', ({ origin }) => origin === 'central'],
      [`&since=${middle.at}`, ({ at }) => at >= middle.at],
      [`&until=${middle.at}`, ({ at }) => at < middle.at],
    ];
    for (const [query, belongs] of cases) {
      const found = await read('admin_national null', `&entity=patients${query}`);
      expect([query, found]).toEqual([query, all.filter((entry) => belongs(entry as never))]);
    }
    expect(await read('admin_national null', '&entity=nothing')).toEqual([]);
  });

  it('is read page by page, in either direction', async () => {
    const all = (await read('admin_national null', '&entity=patients')).map(({ seq }) => seq);
    for (const [sort, expected] of [
      ['seq', all],
      ['-seq', all.toReversed()],
    ] as const) {
      const seen: number[] = [];
      let path = `/sync/journal?entity=patients&limit=2&sort=${sort}`;
      for (let page = 0; path && page < 20; page++) {
        const { body, headers } = await as('admin_national null', `GET ${path}`);
        seen.push(...body.items.map(({ seq }: Entry) => seq));
        path = /<\/api\/v1(.*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1] ?? '';
        expect(path === '').toBe(body.nextCursor === null);
      }
      expect(seen).toEqual(expected);
    }
  });

  it.each([
    ...['entity=Patients;', 'entityId=7', 'patientId=awa', 'origin=dkr', 'op=truncate', 'since=yesterday'],
    ...['sort=actor', 'cursor=x', 'limit=0x10', 'who=me'],
  ])('does not take %s', async (query) => {
    expect((await as('admin_national null', `GET /sync/journal?${query}`)).status).toBe(400);
  });
});
