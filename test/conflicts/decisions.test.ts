import { randomUUID } from 'node:crypto';
import { ConflictedNode } from './conflict-api.js';

const NAME = { family_name: { base: "N'Diaye", regional: 'Ndiaye-Sow', central: "N'Diaye" } };
const BIRTH = {
  birth_date: { base: '1987-03-14', regional: '1987-01-01', central: '1987-03-14' },
  birth_date_precision: { base: 'day', regional: 'year', central: 'day' },
};
const take = (side: string) => ({ take: side });
const reason = 'Carte d’identité vue au guichet';

describe('a decision on a conflict', () => {
  let region: ConflictedNode;
  beforeAll(async () => {
    region = await ConflictedNode.start();
  });
  afterAll(() => region.stop());

  const admin = (request: string, body?: unknown, headers?: Record<string, string>) =>
    region.as('admin_regional')(request, body, headers);
  const open = async (fields: any = NAME, patient = {}, more = {}) => {
    const patientId = await region.register(patient);
    return { patientId, id: await region.recorded({ patientId, fields, ...more }) };
  };
  const resolve = (id: string, fields: unknown, headers?: Record<string, string>) =>
    admin(`POST /conflicts/${id}/resolve`, { fields, reason }, headers);

  it('takes the region’s value: patient and conflict change together, and the journal says who and why', async () => {
    const { id, patientId } = await open();
    const { id: adminId } = region.person('admin_regional');
    const { status, body, headers } = await resolve(id, { familyName: take('regional') });

    expect(status).toBe(200);
    expect(body).toMatchObject({
      id,
      state: 'resolved',
      outcome: 'person',
      decisions: { familyName: { take: 'regional' } },
      reason,
      decidedBy: adminId,
      decidedByName: 'Test admin_regional',
      decidedRole: 'admin_regional',
      decidedNode: 'DKR',
      version: 2,
    });
    expect(body.fields.familyName).toMatchObject({ current: 'Ndiaye-Sow', kept: 'central' });
    expect(body).toEqual((await admin(`GET /conflicts/${id}`)).body);
    expect(headers.get('etag')).toBe((await admin(`GET /conflicts/${id}`)).headers.get('etag'));
    expect(await region.patientRow(patientId)).toMatchObject({
      family_name: 'Ndiaye-Sow',
      version: 2,
      updated_by: adminId,
      given_names: 'Awa',
    });
    const [ofPatient, ofConflict] = [
      (await region.journal(patientId)).at(-1)!,
      (await region.journal(id)).at(-1)!,
    ];
    expect(ofPatient).toMatchObject({ op: 'update', actor: adminId, reason });
    expect(ofPatient.after).toMatchObject({ family_name: 'Ndiaye-Sow' });
    expect(ofConflict).toMatchObject({ op: 'update', actor: adminId, reason, patient_id: patientId });
    expect(ofConflict.after).toMatchObject({
      state: 'resolved',
      decisions: { family_name: { take: 'regional' } },
    });
    expect(ofPatient.change_set).toBe(ofConflict.change_set);
  });

  it('that keeps what is in force leaves the patient as it is', async () => {
    const { id, patientId } = await open();
    expect((await resolve(id, { familyName: take('central') })).status).toBe(200);
    expect(await region.patientRow(patientId)).toMatchObject({ family_name: "N'Diaye", version: 1 });
    expect(await region.journal(patientId)).toHaveLength(1);
  });

  it('may be another value, by the rules of the field', async () => {
    const { id, patientId } = await open();
    const bad = await resolve(id, { familyName: { value: ' \u200b ' } });
    expect([bad.status, bad.body.errors.map(({ path }: { path: string }) => path)]).toEqual([
      422,
      ['fields.familyName'],
    ]);
    expect(JSON.stringify(bad.body)).not.toContain('\u200b');
    expect((await resolve(id, { familyName: { value: 7 } })).status).toBe(400);
    expect(await region.patientRow(patientId)).toMatchObject({ family_name: "N'Diaye", version: 1 });

    const good = await resolve(id, { familyName: { value: ' Ndiaye Sow ' } });
    expect(good.body.decisions).toEqual({ familyName: { value: 'Ndiaye Sow' } });
    expect(await region.patientRow(patientId)).toMatchObject({ family_name: 'Ndiaye Sow', version: 2 });
  });

  it('names every disputed field, no other, and how', async () => {
    const { id, patientId } = await open({
      ...NAME,
      blood_group: { base: null, regional: 'A+', central: 'O+' },
    });
    const errorsOf = async (fields: unknown) => {
      const { status, body } = await resolve(id, fields);
      return [status, Object.fromEntries((body.errors ?? []).map((e: any) => [e.path, e.message]))];
    };
    const left = { bloodGroup: take('central') };
    expect(await errorsOf({ familyName: take('regional') })).toEqual([
      422,
      { 'fields.bloodGroup': 'must be decided too' },
    ]);
    expect(await errorsOf({})).toEqual([
      422,
      { 'fields.familyName': 'must be decided too', 'fields.bloodGroup': 'must be decided too' },
    ]);
    const known = { ...left, familyName: take('regional') };
    expect(await errorsOf({ ...known, phone: take('central') })).toEqual([
      400,
      { 'fields.phone': 'is not in dispute here' },
    ]);
    expect(await errorsOf({ ...known, constructor: take('central') })).toMatchObject([400, {}]);
    expect(await errorsOf({ ...left, familyName: { take: 'both' } })).toMatchObject([422, {}]);
    expect(await errorsOf({ ...left, familyName: { take: 1 } })).toMatchObject([400, {}]);
    expect(await errorsOf({ ...left, familyName: {} })).toMatchObject([422, {}]);
    expect(await errorsOf({ ...left, familyName: { take: 'central', value: 'X' } })).toMatchObject([422, {}]);
    expect(await errorsOf({ ...left, familyName: { take: 'central', other: 1 } })).toEqual([
      400,
      { 'fields.familyName.other': 'is not known here' },
    ]);
    expect(await errorsOf({ ...left, familyName: 'regional' })).toMatchObject([400, {}]);
    expect(await errorsOf('regional')).toMatchObject([400, {}]);
    expect(await region.patientRow(patientId)).toMatchObject({ version: 1 });
    expect((await admin(`GET /conflicts/${id}`)).body).toMatchObject({ state: 'open', version: 1 });
  });

  it.each([
    ['absent', undefined, 422],
    ['blank', ' \u200b\n', 422],
    ['too long', 'x'.repeat(501), 422],
    ['with U+0000', 'a\u0000b', 422],
    ['not text', 7, 400],
  ])('needs a reason: %s is refused', async (_, given, expected) => {
    const { id } = await open();
    const body = { fields: { familyName: take('central') }, reason: given };
    expect((await admin(`POST /conflicts/${id}/resolve`, body)).status).toBe(expected);
    expect((await admin(`GET /conflicts/${id}`)).body.state).toBe('open');
  });

  it('moves what is one value as one', async () => {
    const { id, patientId } = await open(BIRTH);
    const mixed = await resolve(id, { birthDate: take('regional'), birthDatePrecision: take('central') });
    expect([mixed.status, mixed.body.errors.map(({ path }: { path: string }) => path).sort()]).toEqual([
      422,
      ['fields.birthDate', 'fields.birthDatePrecision'],
    ]);
    const half = await resolve(id, {
      birthDate: { value: '1986-01-01' },
      birthDatePrecision: take('regional'),
    });
    expect(half.status).toBe(422);
    expect(await region.patientRow(patientId)).toMatchObject({ birth_date_precision: 'day', version: 1 });
    const whole = await resolve(id, { birthDate: take('regional'), birthDatePrecision: take('regional') });
    expect(whole.status).toBe(200);
    expect((await admin(`GET /patients/${patientId}`)).body).toMatchObject({
      birthDate: '1987-01-01',
      birthDatePrecision: 'year',
      version: 2,
    });
  });

  it('judges a value together with what it must fit', async () => {
    const { id, patientId } = await open(BIRTH, { deceasedAt: '2020-01-01T00:00:00Z' });
    const after = await resolve(id, {
      birthDate: { value: '2021-01-01' },
      birthDatePrecision: { value: 'day' },
    });
    expect([after.status, after.body.errors[0].path]).toEqual([422, 'fields.deceasedAt']);
    expect(await region.patientRow(patientId)).toMatchObject({ version: 1 });
  });

  it('made on a stale screen is refused, whether the conflict or the value in force has moved', async () => {
    const { id, patientId } = await open();
    const screen = async () => ({ 'if-match': (await admin(`GET /conflicts/${id}`)).headers.get('etag')! });
    const first = await screen();
    await region.as('medecin')(`PATCH /patients/${patientId}`, { familyName: 'Autre' });
    const stale = await resolve(id, { familyName: take('regional') }, first);
    expect(stale.status).toBe(412);
    expect(await region.patientRow(patientId)).toMatchObject({ family_name: 'Autre', version: 2 });

    const second = await screen();
    expect((await resolve(id, { familyName: take('regional') }, second)).status).toBe(200);
    expect((await resolve(id, { familyName: take('central') }, second)).status).toBe(412);
    const late = await resolve(id, { familyName: take('central') });
    expect([late.status, late.body.type]).toEqual([409, 'https://medlink.example/problems/conflict-decided']);
    expect(await region.patientRow(patientId)).toMatchObject({ family_name: 'Ndiaye-Sow' });
  });

  it('of two people at once is one person’s', async () => {
    const { id, patientId } = await open();
    const answers = await Promise.all(
      ['regional', 'central', 'regional', 'central'].map((side) => resolve(id, { familyName: take(side) })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
    const won = answers.find(({ status }) => status === 200)!.body.decisions.familyName.take as string;
    expect((await region.patientRow(patientId))!.family_name).toBe(
      won === 'regional' ? 'Ndiaye-Sow' : "N'Diaye",
    );
  });

  it('sent again under its key is answered the same, and decides nothing more', async () => {
    const { id, patientId } = await open();
    const key = { 'idempotency-key': `decide-${id}` };
    const [first, again] = [
      await resolve(id, { familyName: take('regional') }, key),
      await resolve(id, { familyName: take('regional') }, key),
    ];
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
    expect((await region.journal(patientId)).length).toBe(2);
    expect((await resolve(id, { familyName: take('central') }, key)).status).toBe(422);
  });

  it('may not give a medical id that another patient has', async () => {
    await region.register({ medicalId: 'TAKEN-1' });
    const { id } = await open({ medical_id: { base: 'A', regional: 'TAKEN-1', central: 'A' } });
    const { status, body } = await resolve(id, { medicalId: take('regional') });
    expect([status, body.errors]).toMatchObject([409, [{ path: 'fields.medicalId' }]]);
    expect((await admin(`GET /conflicts/${id}`)).body.state).toBe('open');
  });

  it('handles instants and lists as the API shows them', async () => {
    const { id, patientId } = await open({
      deceased_at: { base: null, regional: '2024-02-29T22:30:00+00:00', central: null },
      allergies: { base: ['Pénicilline'], regional: ['Iode'], central: ['Pénicilline', 'Arachide'] },
    });
    const { body } = await admin(`GET /conflicts/${id}`);
    expect(body.fields.deceasedAt.regional.value).toBe('2024-02-29T22:30:00.000Z');
    const union = ['Pénicilline', 'Arachide', 'Iode'];
    expect((await resolve(id, { deceasedAt: take('regional'), allergies: { value: union } })).status).toBe(
      200,
    );
    expect((await admin(`GET /patients/${patientId}`)).body).toMatchObject({
      deceasedAt: '2024-02-29T22:30:00.000Z',
      allergies: union,
    });
  });

  describe('that is undone', () => {
    it('opens the conflict again, also one that a policy decided, and another decision takes its place', async () => {
      const { id, patientId } = await open(
        { phone: { base: null, regional: '+221776543210', central: '+221771234567', kept: 'central' } },
        {},
        { state: 'resolved', outcome: 'policy', severity: 'low' },
      );
      expect((await admin(`GET /patients/${patientId}`)).headers.get('x-sync-state')).not.toBe('disputed');
      const why = 'Le patient a appelé';
      const reopened = await admin(`POST /conflicts/${id}/reopen`, { reason: why });
      expect([reopened.status, reopened.body]).toMatchObject([
        200,
        { state: 'open', outcome: null, decisions: null, decidedBy: null, reason: why, version: 2 },
      ]);
      expect((await admin(`GET /patients/${patientId}`)).headers.get('x-sync-state')).toBe('disputed');
      expect(await region.patientRow(patientId)).toMatchObject({ phone: '+221771234567', version: 1 });
      expect((await admin(`POST /conflicts/${id}/reopen`, { reason: why })).status).toBe(409);

      expect((await resolve(id, { phone: take('regional') })).status).toBe(200);
      expect((await admin(`POST /conflicts/${id}/reopen`, { reason: why })).status).toBe(200);
      expect((await resolve(id, { phone: take('central') })).status).toBe(200);
      expect(await region.patientRow(patientId)).toMatchObject({ phone: '+221771234567', version: 3 });
      expect((await region.journal(id)).map(({ op }) => op)).toEqual(['insert', ...Array(4).fill('update')]);
    });

    it('needs a reason too', async () => {
      const { id } = await open(NAME, {}, { state: 'resolved', outcome: 'policy' });
      expect((await admin(`POST /conflicts/${id}/reopen`, { reason: ' ' })).status).toBe(422);
      expect((await admin(`POST /conflicts/${id}/reopen`, {})).status).toBe(422);
      expect((await admin(`POST /conflicts/${id}/reopen`, { reason, state: 'open' })).status).toBe(400);
    });
  });

  describe('on a removal', () => {
    // The region removed, central had changed the phone: the update won.
    const REMOVED = { phone: { base: null, regional: null, central: '+221771234567', kept: 'central' } };
    const kind = { kind: 'removal', severity: 'critical' };

    it('removes now, and can be undone by one that keeps: the whole row comes back', async () => {
      const { id, patientId } = await open(REMOVED, { notes: 'à garder' }, kind);
      expect((await admin(`GET /conflicts/${id}`)).body.toDecide).toEqual(['removal']);
      const before = (await region.patientRow(patientId))!;
      expect((await resolve(id, { phone: take('regional') })).status).toBe(400);
      const removed = await resolve(id, { removal: take('regional') });
      expect([removed.status, removed.body.decisions]).toEqual([200, { removal: { take: 'regional' } }]);
      expect(await region.patientRow(patientId)).toBeUndefined();
      expect((await region.journal(patientId)).at(-1)).toMatchObject({ op: 'remove', reason });

      // Known to the region's administrator still, though the patient is not there.
      expect((await admin(`POST /conflicts/${id}/reopen`, { reason })).status).toBe(200);
      expect((await resolve(id, { removal: take('central') })).status).toBe(200);
      const { version, updated_at: _, updated_by: by, ...row } = (await region.patientRow(patientId))!;
      const { version: __, updated_at: ___, updated_by: ____, ...was } = before;
      expect(row).toEqual(was);
      expect([version, by]).toEqual([Number(before.version) + 1, region.person('admin_regional').id]);
    });

    it('brings back with the row what others have changed while it was gone here', async () => {
      const { id, patientId } = await open(REMOVED, { notes: 'à garder' }, kind);
      expect((await resolve(id, { removal: take('regional') })).status).toBe(200);
      await region.cameDown(patientId, { op: 'update', after: { used_name: 'Diop', notes: 'vu ailleurs' } });
      await region.cameDown(patientId, { op: 'merge', after: { notes: 'décidé ailleurs' } });
      await region.cameDown(patientId, { op: 'noop', after: { used_name: 'sans effet' } });
      expect((await admin(`POST /conflicts/${id}/reopen`, { reason })).status).toBe(200);
      expect((await resolve(id, { removal: take('central') })).status).toBe(200);
      expect(await region.patientRow(patientId)).toMatchObject({
        used_name: 'Diop',
        notes: 'décidé ailleurs',
        given_names: 'Awa',
      });
    });

    it('keeps, and then nothing happens to the patient', async () => {
      const { id, patientId } = await open(REMOVED, {}, kind);
      expect((await resolve(id, { removal: take('central') })).status).toBe(200);
      expect(await region.patientRow(patientId)).toMatchObject({ version: 1 });
    });

    it('whose sides are not told is decided by yes or no', async () => {
      const { id, patientId } = await open({}, {}, kind);
      expect((await resolve(id, { removal: take('regional') })).status).toBe(422);
      expect((await resolve(id, { removal: { value: 'yes' } })).status).toBe(422);
      expect((await resolve(id, { removal: { value: true } })).status).toBe(200);
      expect(await region.patientRow(patientId)).toBeUndefined();
    });
  });

  describe('on a medical id given twice', () => {
    const shared = (medicalId: string) => ({
      medical_id: { base: null, regional: medicalId, central: medicalId, kept: 'both' },
    });

    it('gives this patient another one: both cannot go on with it', async () => {
      const { id, patientId } = await open(
        shared('TWICE-1'),
        { medicalId: 'TWICE-1' },
        { kind: 'identity', otherId: randomUUID() },
      );
      for (const choice of [take('regional'), take('central'), { value: 'TWICE-1' }]) {
        const { status, body } = await resolve(id, { medicalId: choice });
        expect([status, body.errors[0].path]).toEqual([422, 'fields.medicalId']);
      }
      expect((await resolve(id, { medicalId: { value: 'not an id!' } })).status).toBe(422);
      expect((await resolve(id, { medicalId: { value: 'TWICE-1-B' } })).status).toBe(200);
      expect(await region.patientRow(patientId)).toMatchObject({ medical_id: 'TWICE-1-B', version: 2 });
    });

    it('is over when one of the two has another already', async () => {
      const { id, patientId } = await open(
        shared('TWICE-2'),
        { medicalId: 'TWICE-2' },
        { kind: 'identity', otherId: randomUUID() },
      );
      await region.as('medecin')(`PATCH /patients/${patientId}`, { medicalId: 'TWICE-2-B' });
      expect((await resolve(id, { medicalId: take('central') })).status).toBe(200);
      expect(await region.patientRow(patientId)).toMatchObject({ medical_id: 'TWICE-2-B', version: 2 });

      const other = await region.register({ medicalId: 'TWICE-3-B' });
      const second = await open(
        shared('TWICE-3'),
        { medicalId: 'TWICE-3' },
        { kind: 'identity', otherId: other },
      );
      expect((await resolve(second.id, { medicalId: take('regional') })).status).toBe(200);
      expect(await region.patientRow(second.patientId)).toMatchObject({ medical_id: 'TWICE-3', version: 1 });
    });
  });

  it('about a patient who was removed meanwhile can be closed by a side, and writes nothing', async () => {
    const { id, patientId } = await open();
    await admin(`DELETE /patients/${patientId}`);
    expect((await admin(`GET /conflicts/${id}`)).body.fields.familyName).not.toHaveProperty('current');
    expect((await resolve(id, { familyName: { value: 'X' } })).status).toBe(422);
    // No row of a patient holds the second one back.
    const answers = await Promise.all([1, 2, 3, 4].map(() => resolve(id, { familyName: take('regional') })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
    expect(await region.patientRow(patientId)).toBeUndefined();
  });

  it('about records that this version does not know is left to one that does', async () => {
    const { id } = await open(
      { dose: { base: 1, regional: 2, central: 3 } },
      {},
      { entity: 'prescriptions_x' },
    );
    expect((await admin(`GET /conflicts/${id}`)).body).toMatchObject({ fields: {}, toDecide: [] });
    expect((await resolve(id, {})).status).toBe(409);
  });
});
