import { randomUUID } from 'node:crypto';
import { ConflictedNode } from './conflict-api.js';

const NAME = { family_name: { base: "N'Diaye", regional: 'Ndiaye-Sow', central: "N'Diaye" } };
const BLOOD = { blood_group: { base: 'O+', regional: 'A-', central: 'O+' } };
const PHONE = { phone: { base: null, regional: '+221776543210', central: '+221771234567' } };
const ids = ({ body }: { body: any }): string[] => body.items.map(({ id }: { id: string }) => id);

describe('conflicts, as people read them', () => {
  let region: ConflictedNode;
  let patientId: string;
  let own: string;
  let elsewhere: { patientId: string; id: string };

  beforeAll(async () => {
    region = await ConflictedNode.start();
    patientId = await region.register();
    own = await region.recorded({ patientId, fields: { ...NAME, ...BLOOD }, severity: 'critical' });
    const registered = await region.as('medecin elsewhere')('POST /patients', {
      familyName: 'Sarr',
      givenNames: 'Ibou',
      birthDate: '1990-01-01',
      sex: 'male',
    });
    const other = registered.body.id as string;
    elsewhere = {
      patientId: other,
      id: await region.recorded({ patientId: other, fields: NAME, region: 'THS' }),
    };
  });
  afterAll(() => region.stop());

  it('one shows base, regional and central value of each field, by the API’s names, and who set them when', async () => {
    const { status, body, headers } = await region.as('medecin')(`GET /conflicts/${own}`);
    expect(status).toBe(200);
    expect(headers.get('etag')).toMatch(/^"v1-[0-9a-f]{8}"$/);
    expect(body).toEqual({
      id: own,
      patientId,
      entity: 'patients',
      entityId: patientId,
      otherId: null,
      region: 'DKR',
      kind: 'fields',
      severity: 'critical',
      state: 'open',
      outcome: null,
      fields: {
        familyName: {
          base: "N'Diaye",
          regional: {
            value: 'Ndiaye-Sow',
            actor: region.person('medecin').id,
            actorName: 'Dr Fall',
            role: 'medecin',
            at: '2026-05-04T09:12:00.000Z',
            node: 'DKR',
          },
          central: expect.objectContaining({ value: "N'Diaye", actorName: 'M. Ba', node: 'central' }),
          kept: 'central',
          current: "N'Diaye",
        },
        bloodGroup: expect.objectContaining({ base: 'O+', current: 'O+' }),
      },
      toDecide: ['familyName', 'bloodGroup'],
      decisions: null,
      reason: null,
      decidedBy: null,
      decidedByName: null,
      decidedRole: null,
      decidedNode: null,
      decidedAt: null,
      createdAt: expect.stringMatching(/Z$/),
      updatedAt: expect.stringMatching(/Z$/),
      version: 1,
    });
  });

  /** The contract's table: who reads whose, with which fields, and who decides. */
  const ALL = ['familyName', 'bloodGroup'];
  const ROLES: [name: string, own: number, fields: string[], other: number, decides: number][] = [
    ['medecin', 200, ALL, 404, 403],
    ['specialiste', 200, ALL, 404, 403],
    ['infirmier', 403, [], 403, 403],
    ['secretaire', 403, [], 403, 403],
    ['admin_regional', 200, ALL, 404, 409],
    ['admin_national', 200, ALL, 200, 409],
    ['auditeur', 200, [], 200, 403],
    ['regional auditeur', 200, [], 404, 403],
    ['medecin elsewhere', 404, [], 200, 403],
    ['admin elsewhere', 404, [], 200, 404],
    ['auditeur elsewhere', 404, [], 200, 403],
  ];

  it.each(ROLES)('%s reads what the role may', async (name, ofOwn, fields, ofOther) => {
    const as = region.as(name);
    const [mine, theirs] = [await as(`GET /conflicts/${own}`), await as(`GET /conflicts/${elsewhere.id}`)];
    expect([mine.status, theirs.status]).toEqual([ofOwn, ofOther]);
    if (ofOwn === 200) expect(Object.keys(mine.body.fields)).toEqual(fields);
    const list = await as('GET /conflicts?total=true');
    if (ofOwn === 403) expect(list.status).toBe(403);
    else {
      const readable = [...(ofOwn === 200 ? [own] : []), ...(ofOther === 200 ? [elsewhere.id] : [])];
      expect(
        ids(list)
          .filter((id) => [own, elsewhere.id].includes(id))
          .sort(),
      ).toEqual(readable.sort());
      expect(list.body.total).toBe(list.body.items.length);
    }
    if (fields.length === 0) {
      for (const value of ['Ndiaye-Sow', 'A-', 'Dr Fall'])
        if (ofOther !== 200 || (name.startsWith('auditeur') && name !== 'auditeur elsewhere'))
          expect(JSON.stringify([mine.body, list.body])).not.toContain(value);
    }
  });

  it.each(ROLES)('%s decides only what the role may', async (name, _own, _fields, _other, expected) => {
    const id = await region.recorded({ patientId, fields: NAME, state: 'resolved', outcome: 'policy' });
    const as = region.as(name);
    const decision = { fields: { familyName: { take: 'regional' } }, reason: 'essai' };
    // 409: may decide, and finds it decided.
    expect((await as(`POST /conflicts/${id}/resolve`, decision)).status).toBe(expected);
    const reopened = (await as(`POST /conflicts/${id}/reopen`, { reason: 'essai' })).status;
    expect(reopened).toBe(expected === 409 ? 200 : expected);
    expect((await region.patientRow(patientId))!.family_name).toBe("N'Diaye");
  });

  it('a patient’s conflicts are known wherever the file is held, and to administrators where the change was made', async () => {
    const shared = await region.register();
    const id = await region.recorded({ patientId: shared, fields: NAME, region: 'THS' });
    expect((await region.as('admin elsewhere')(`GET /conflicts/${id}`)).status).toBe(200);
    expect((await region.as('medecin elsewhere')(`GET /conflicts/${id}`)).status).toBe(404);
    await region.node.regionale.query(
      `INSERT INTO hosts (id, patient_id, region, kind, created_at, created_by)
       VALUES ($1, $2, 'THS', 'copy', now(), 'test')`,
      [randomUUID(), shared],
    );
    expect((await region.as('medecin elsewhere')(`GET /conflicts/${id}`)).status).toBe(200);
    expect(ids(await region.as('medecin elsewhere')(`GET /conflicts?patientId=${shared}`))).toEqual([id]);
  });

  describe('in a list', () => {
    let one: string;
    let listed: Record<string, string>;
    beforeAll(async () => {
      one = await region.register();
      const at = (day: number) => `2026-03-0${day}T10:00:00.000Z`;
      const record = (more: object) => region.recorded({ patientId: one, fields: NAME, ...more });
      listed = {
        'high, old': await record({ createdAt: at(1) }),
        'critical, new': await record({ createdAt: at(5), severity: 'critical' }),
        'low, decided': await record({
          createdAt: at(2),
          severity: 'low',
          state: 'resolved',
          outcome: 'policy',
        }),
        'critical, old': await record({ createdAt: at(3), severity: 'critical' }),
        'high, new': await record({ createdAt: at(4), kind: 'removal' }),
        'critical, decided': await record({
          createdAt: at(1),
          severity: 'critical',
          state: 'resolved',
          outcome: 'person',
        }),
        'of Thiès': await record({ createdAt: at(6), region: 'THS' }),
      };
    });

    const named = (found: string[]) =>
      found.map((id) => Object.entries(listed).find(([, of]) => of === id)?.[0]);
    const list = async (query: string) =>
      named(ids(await region.as('admin_regional')(`GET /conflicts?patientId=${one}${query}`)));

    it('come worst and oldest first, open ones before decided ones', async () => {
      const worst = [
        'critical, old',
        'critical, new',
        'high, old',
        'high, new',
        'of Thiès',
        'critical, decided',
        'low, decided',
      ];
      expect(await list('')).toEqual(worst);
      expect(await list('&sort=worst')).toEqual(worst);
    });

    it.each([
      ['&state=open&severity=critical', ['critical, old', 'critical, new']],
      ['&state=resolved', ['critical, decided', 'low, decided']],
      ['&kind=removal', ['high, new']],
      ['&region=THS', ['of Thiès']],
      ['&openedBefore=2026-03-03T10:00:00Z&state=open', ['high, old']],
      [
        '&sort=createdAt&state=open',
        ['high, old', 'critical, old', 'high, new', 'critical, new', 'of Thiès'],
      ],
      ['&sort=-createdAt&severity=critical', ['critical, new', 'critical, old', 'critical, decided']],
    ])('are found by %s', async (query, expected) => {
      expect(await list(query)).toEqual(expected);
    });

    it.each(['', '&sort=createdAt', '&sort=-createdAt'])(
      'come in pages that miss nothing (%s)',
      async (sort) => {
        const found: string[] = [];
        let path: string | undefined = `/conflicts?patientId=${one}&limit=2${sort}`;
        for (; path;) {
          const page = await region.as('admin_regional')(`GET ${path}`);
          found.push(...ids(page));
          path = page.headers.get('link')?.match(/^<\/api\/v1(.*)>; rel="next"$/)?.[1];
        }
        expect(named(found)).toEqual(await list(sort));
        expect(found).toHaveLength(7);
      },
    );

    it.each([
      'state=closed',
      'severity=worst',
      'kind=other',
      'region=dakar',
      'patientId=1',
      'openedBefore=yesterday',
      'sort=reason',
      'cursor=AAAA',
      'limit=x',
      'actor=me',
    ])('are refused for %s', async (query) => {
      expect((await region.as('admin_regional')(`GET /conflicts?${query}`)).status).toBe(400);
    });

    it.each(['2026-02-30T00:00:00Z', '2026-02-03T25:00:00Z'])(
      'are refused for what was opened before %s',
      async (at) => {
        const { status } = await region.as('admin_regional')(`GET /conflicts?openedBefore=${at}`);
        expect(status).toBe(422);
      },
    );

    it('are refused for a cursor of another order', async () => {
      const { body } = await region.as('admin_regional')(`GET /conflicts?patientId=${one}&limit=1`);
      const path = `GET /conflicts?patientId=${one}&sort=createdAt&cursor=${body.nextCursor}`;
      expect((await region.as('admin_regional')(path)).status).toBe(400);
    });
  });

  it('ids that are none are 400 or 404', async () => {
    const as = region.as('admin_national');
    expect((await as('GET /conflicts/1')).status).toBe(400);
    expect((await as(`GET /conflicts/${randomUUID()}`)).status).toBe(404);
    const decision = { fields: {}, reason: 'essai' };
    expect((await as(`POST /conflicts/${randomUUID()}/resolve`, decision)).status).toBe(404);
  });

  describe('the patient, while one is open', () => {
    const read = (name: string, id: string) => region.as(name)(`GET /patients/${id}`);

    it('is disputed by every answer, with both values, their authors, and who may not see a field does not', async () => {
      const id = await region.register();
      const conflict = await region.recorded({ patientId: id, fields: { ...NAME, ...BLOOD, ...PHONE } });
      const { body, headers } = await read('medecin', id);
      expect(headers.get('x-sync-state')).toBe('disputed');
      expect(Object.keys(body.disputed).sort()).toEqual(['bloodGroup', 'familyName', 'phone']);
      expect(body.disputed.familyName).toEqual([
        {
          conflictId: conflict,
          kind: 'fields',
          regional: {
            value: 'Ndiaye-Sow',
            actor: region.person('medecin').id,
            actorName: 'Dr Fall',
            role: 'medecin',
            at: '2026-05-04T09:12:00.000Z',
            node: 'DKR',
          },
          central: expect.objectContaining({ value: "N'Diaye", node: 'central' }),
        },
      ]);
      const { body: list } = await region.as('medecin')('GET /patients?limit=1&sort=-createdAt');
      expect(list.items[0]).toEqual(body);
      const patched = await region.as('medecin')(`PATCH /patients/${id}`, { birthPlace: 'Podor' });
      expect([patched.status, patched.headers.get('x-sync-state')]).toEqual([200, 'disputed']);
      expect(patched.body.disputed).toEqual(body.disputed);
      const { headers: ofHistory } = await region.as('medecin')(`GET /patients/${id}/history`);
      expect(ofHistory.get('x-sync-state')).toBe('disputed');

      const secretary = await read('secretaire', id);
      expect(Object.keys(secretary.body.disputed).sort()).toEqual(['familyName', 'phone']);
      expect(JSON.stringify(secretary.body)).not.toContain('"A-"');
    });

    it('shows of allergies what either side has, and a PUT that repeats it writes nothing', async () => {
      const id = await region.register({ allergies: ['Pénicilline'], chronicConditions: ['Asthme'] });
      const sides = { base: [], regional: ['Iode', 'Pénicilline'], central: ['Pénicilline'] };
      await region.recorded({ patientId: id, fields: { allergies: sides } });
      const { body, headers } = await read('medecin', id);
      expect(body.allergies).toEqual(['Pénicilline', 'Iode']);
      expect(body.chronicConditions).toEqual(['Asthme']);

      const writable = Object.fromEntries(
        Object.entries(body as Record<string, unknown>).filter(
          ([name]) => !/^(id|region|version|createdAt|updatedAt|createdBy|updatedBy|disputed)$/.test(name),
        ),
      );
      const etag = { 'if-match': headers.get('etag')! };
      const same = await region.as('medecin')(`PUT /patients/${id}`, writable, etag);
      expect([same.status, same.body.version, same.body.allergies]).toEqual([
        200,
        1,
        ['Pénicilline', 'Iode'],
      ]);
      const nurse = { ...writable, phone: '+221770000000' };
      const nurses = (await read('infirmier', id)).headers.get('etag')!;
      expect(
        (await region.as('infirmier')(`PUT /patients/${id}`, nurse, { 'if-match': nurses })).status,
      ).toBe(200);
      expect(await region.patientRow(id)).toMatchObject({
        allergies: ['Pénicilline'],
        phone: '+221770000000',
      });

      const more = { allergies: ['Pénicilline', 'Iode', 'Latex'] };
      await region.as('medecin')(`PATCH /patients/${id}`, more);
      expect(await region.patientRow(id)).toMatchObject(more);
    });

    it('has every dispute, also of two regions about one field', async () => {
      const id = await region.register();
      const first = await region.recorded({ patientId: id, fields: NAME });
      const name = { family_name: { base: "N'Diaye", regional: 'Ndiaye-Ba', central: "N'Diaye" } };
      const second = await region.recorded({ patientId: id, fields: name, region: 'KLK' });
      const { body } = await read('medecin', id);
      expect(body.disputed.familyName.map((one: any) => one.conflictId).sort()).toEqual(
        [first, second].sort(),
      );
      expect(body.disputed.familyName.map((one: any) => one.regional.value).sort()).toEqual([
        'Ndiaye-Ba',
        'Ndiaye-Sow',
      ]);
    });

    it('says that one side removed it, and not which fields that side saw', async () => {
      const id = await region.register();
      const fields = { phone: { base: null, regional: null, central: '+221771234567' } };
      await region.recorded({ patientId: id, fields, kind: 'removal' });
      const { body } = await read('medecin', id);
      expect(body.disputed).toEqual({
        removal: [
          expect.objectContaining({
            kind: 'removal',
            regional: expect.objectContaining({ value: 'removed', node: 'DKR' }),
            central: expect.objectContaining({ value: 'kept' }),
          }),
        ],
      });
    });

    it('is told by its sync, with its hosts; and the status counts what is open', async () => {
      const id = await region.register();
      const openBefore = (await region.as('admin_regional')('GET /sync/status')).body.openConflicts as number;
      const conflict = await region.recorded({ patientId: id, fields: NAME });
      const decided = await region.recorded({
        patientId: id,
        fields: NAME,
        state: 'resolved',
        outcome: 'merge',
      });
      const sync = async () => (await region.as('medecin')(`GET /patients/${id}/sync`)).body;
      expect(await sync()).toMatchObject({ state: 'disputed', hosts: ['DKR'], conflicts: [conflict] });
      for (const [host, kind] of [
        ['THS', 'copy'],
        ['DKR', 'home'],
      ])
        await region.node.regionale.query(
          `INSERT INTO hosts (id, patient_id, region, kind, created_at, created_by)
           VALUES ($1, $2, $3, $4, now(), 'test')`,
          [randomUUID(), id, host, kind],
        );
      expect((await sync()).hosts).toEqual(['DKR', 'THS']);
      const { rows } = await region.node.regionale.query(
        `SELECT count(*)::int AS open FROM conflicts WHERE state = 'open'`,
      );
      const { openConflicts } = (await region.as('admin_regional')('GET /sync/status')).body;
      expect([openConflicts, openConflicts]).toEqual([openBefore + 1, rows[0].open]);

      await region.as('admin_regional')(`POST /conflicts/${conflict}/resolve`, {
        fields: { familyName: { take: 'central' } },
        reason: 'essai',
      });
      expect(await sync()).toMatchObject({ conflicts: [] });
      expect((await sync()).state).not.toBe('disputed');
      expect((await read('medecin', id)).body).not.toHaveProperty('disputed');
      expect(decided).toBeDefined();
    });

    it('in quarantine is quarantined first', async () => {
      const id = await region.register();
      await region.recorded({ patientId: id, fields: NAME });
      await region.node.regionale.query('INSERT INTO quarantined_lanes VALUES ($1, 1)', [id]);
      expect((await read('medecin', id)).headers.get('x-sync-state')).toBe('quarantined');
    });
  });
});
