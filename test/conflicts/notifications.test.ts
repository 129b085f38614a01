import { randomUUID } from 'node:crypto';
import { ConflictedNode, type Recorded } from './conflict-api.js';

const NAME = { family_name: { base: "N'Diaye", regional: 'Ndiaye-Sow', central: "N'Diaye" } };
const PHONE = { phone: { base: null, regional: '+221776543210', central: '+221771234567' } };
const reason = 'Carte d’identité vue';

describe('who had set a value that was not kept', () => {
  let region: ConflictedNode;
  beforeAll(async () => {
    region = await ConflictedNode.start();
  });
  afterAll(() => region.stop());

  const conflict = async (more: Partial<Recorded> = {}) => {
    const patientId = await region.register();
    return { patientId, id: await region.recorded({ patientId, fields: NAME, ...more }) };
  };
  const decide = async (id: string, fields: object) => {
    const { status } = await region.as('admin_regional')(`POST /conflicts/${id}/resolve`, { fields, reason });
    expect(status).toBe(200);
  };
  const inbox = async (name: string) =>
    (await region.as(name)('GET /notifications?limit=200')).body.items as any[];
  const of = async (name: string, id: string) => (await inbox(name)).filter((item) => item.conflictId === id);

  it('is told whose value is kept, who decided and why; others are not', async () => {
    const { id, patientId } = await conflict();
    expect(await of('medecin', id)).toEqual([]);
    await decide(id, { familyName: { take: 'central' } });
    expect(await of('medecin', id)).toEqual([
      {
        id,
        at: expect.stringMatching(/Z$/),
        conflictId: id,
        patientId,
        fields: ['familyName'],
        keptValueBy: 'M. Ba',
        decidedByName: 'Test admin_regional',
        reason,
        outcome: 'person',
        readAt: null,
      },
    ]);
    for (const other of ['specialiste', 'admin_regional', 'auditeur', 'medecin elsewhere'])
      expect(await of(other, id)).toEqual([]);
  });

  it('is nobody when the own value was taken, and the other author when it was', async () => {
    const { id } = await conflict({ centralAuthor: region.person('specialiste').id });
    await decide(id, { familyName: { take: 'regional' } });
    expect(await of('medecin', id)).toEqual([]);
    expect(await of('specialiste', id)).toMatchObject([{ keptValueBy: 'Dr Fall', fields: ['familyName'] }]);
  });

  it('is both when the decision was a third value, and one when it was written out', async () => {
    const { id } = await conflict({ centralAuthor: region.person('specialiste').id });
    await decide(id, { familyName: { value: 'Autre' } });
    for (const author of ['medecin', 'specialiste'])
      expect(await of(author, id)).toMatchObject([{ keptValueBy: 'Test admin_regional' }]);

    const { id: same } = await conflict({ centralAuthor: region.person('specialiste').id });
    await decide(same, { familyName: { value: 'Ndiaye-Sow' } });
    expect(await of('medecin', same)).toEqual([]);
    expect(await of('specialiste', same)).toHaveLength(1);
  });

  it('is told of each field apart, and sees the names of those that the role may see', async () => {
    const author = region.person('secretaire').id;
    const blood = { blood_group: { base: null, regional: 'A+', central: 'O+' } };
    const { id } = await conflict({ fields: { ...NAME, ...PHONE, ...blood }, author });
    await decide(id, {
      familyName: { take: 'central' },
      phone: { take: 'regional' },
      bloodGroup: { take: 'central' },
    });
    expect((await of('secretaire', id)).map(({ fields }) => fields)).toEqual([['familyName']]);
  });

  it('is told of what a policy decided, and not of what merged', async () => {
    const { id } = await conflict({ fields: PHONE, state: 'resolved', outcome: 'policy', severity: 'low' });
    expect(await of('medecin', id)).toMatchObject([
      { outcome: 'policy', reason: null, keptValueBy: 'M. Ba' },
    ]);
    const merged = { phone: { ...PHONE.phone, kept: 'both' } };
    const { id: other } = await conflict({ fields: merged, state: 'resolved', outcome: 'merge' });
    expect(await of('medecin', other)).toEqual([]);
  });

  it('is told of a removal that was not followed, and of a change that went with the record', async () => {
    const centralAuthor = region.person('specialiste').id;
    const fields = { phone: { base: null, regional: null, central: '+221771234567' } };
    const removal: Partial<Recorded> = { fields, kind: 'removal', severity: 'critical', centralAuthor };
    const kept = await conflict(removal);
    await decide(kept.id, { removal: { take: 'central' } });
    expect(await of('medecin', kept.id)).toMatchObject([{ fields: ['removal'] }]);
    expect(await of('specialiste', kept.id)).toEqual([]);
    const removed = await conflict(removal);
    await decide(removed.id, { removal: { take: 'regional' } });
    expect(await of('medecin', removed.id)).toEqual([]);
    expect(await of('specialiste', removed.id)).toMatchObject([{ fields: ['removal'] }]);
  });

  it('of a medical id given twice: the author of this patient’s', async () => {
    const fields = { medical_id: { base: null, regional: 'TWO', central: 'TWO', kept: 'both' } };
    const { id } = await conflict({
      fields,
      kind: 'identity',
      otherId: randomUUID(),
      centralAuthor: region.person('specialiste').id,
    });
    await decide(id, { medicalId: { value: `NEW-${id}` } });
    expect(await of('medecin', id)).toMatchObject([{ fields: ['medicalId'] }]);
    expect(await of('specialiste', id)).toEqual([]);
  });

  it('marks it as read once; what is decided anew is new again, and what is open no notification', async () => {
    const { id } = await conflict();
    await decide(id, { familyName: { take: 'central' } });
    const read = () => region.as('medecin')(`POST /notifications/${id}/read`);
    const first = await read();
    expect([first.status, first.body.readAt]).toEqual([200, expect.stringMatching(/Z$/)]);
    expect((await read()).body.readAt).toBe(first.body.readAt);
    expect(await of('medecin', id)).toEqual([first.body]);

    await region.as('admin_regional')(`POST /conflicts/${id}/reopen`, { reason });
    expect(await of('medecin', id)).toEqual([]);
    expect((await read()).status).toBe(404);
    await decide(id, { familyName: { take: 'central' } });
    expect(await of('medecin', id)).toMatchObject([{ readAt: null }]);
  });

  it('alone can mark it; everybody signed in has an inbox of their own', async () => {
    const { id } = await conflict();
    await decide(id, { familyName: { take: 'central' } });
    expect((await region.as('admin_regional')(`POST /notifications/${id}/read`)).status).toBe(404);
    expect((await of('medecin', id))[0].readAt).toBeNull();
    for (const name of region.people.keys())
      expect((await region.as(name)('GET /notifications')).status).toBe(200);
    expect((await region.as('medecin')('POST /notifications/1/read')).status).toBe(400);
  });

  it('has them in pages, the newest first', async () => {
    const author = region.person('admin_national').id;
    const expected: string[] = [];
    for (let count = 0; count < 5; count++) {
      const { id } = await conflict({ author });
      await decide(id, { familyName: { take: 'central' } });
      expected.unshift(id);
    }
    const found: string[] = [];
    let path: string | undefined = '/notifications?limit=2&total=true';
    while (path) {
      const { body, headers } = await region.as('admin_national')(`GET ${path}`);
      expect(body.total).toBe(5);
      found.push(...body.items.map(({ id }: { id: string }) => id));
      path = headers.get('link')?.match(/^<\/api\/v1(.*)>; rel="next"$/)?.[1];
    }
    expect(found).toEqual(expected);
  });
});
