import { previewPolicies } from '../../src/conflicts/policies/preview-policies.js';
import type { DisputableField } from '../../src/conflicts/disputable.js';
import { ConflictedNode } from './conflict-api.js';

const field = (property: string, column = property, group?: string): DisputableField => ({
  property,
  column,
  group,
  instant: false,
});
const FIELDS = [
  field('phone'),
  field('birthDate', 'birth_date', 'birth'),
  field('precision', 'precision', 'birth'),
];

const side = (minute: number, node: string) => ({
  value: 'secret',
  actor: 'a',
  actorName: null,
  role: null,
  at: `2026-05-04T09:${String(minute).padStart(2, '0')}:00.000Z`,
  node,
});
const disputed = (regional: number, central: number, kept: 'regional' | 'central' | 'both' = 'central') => ({
  base: null,
  regional: side(regional, 'DKR'),
  central: side(central, 'central'),
  kept,
});

describe('what conflicts would have become', () => {
  const preview = (policy: any, regional: number, central: number, outcome: any = null) =>
    previewPolicies(
      [{ id: 'c', fields: { phone: disputed(regional, central) }, outcome }],
      new Map([['phone', policy]]),
      FIELDS,
    );

  it.each([
    ['latest', 10, 5, null, { was: 'review', wouldBe: 'policy', wouldKeep: 'regional' }, 1],
    ['latest', 5, 10, null, { was: 'review', wouldBe: 'policy', wouldKeep: 'central' }, 1],
    ['latest', 5, 10, 'policy', { was: 'policy', wouldBe: 'policy', wouldKeep: 'central' }, 0],
    ['latest', 10, 5, 'policy', { was: 'policy', wouldBe: 'policy', wouldKeep: 'regional' }, 1],
    // At the same instant the later name wins, as in the merge: "central" is after "DKR".
    ['latest', 5, 5, 'policy', { wouldKeep: 'central' }, 0],
    ['review', 10, 5, 'policy', { was: 'policy', wouldBe: 'review', wouldKeep: 'central' }, 1],
    ['review', 10, 5, 'person', { was: 'review', wouldBe: 'review', wouldKeep: 'central' }, 0],
    ['central', 10, 5, null, { was: 'review', wouldBe: 'policy', wouldKeep: 'central' }, 1],
  ])('with %s, changed at %s and %s, decided by %s', (policy, regional, central, outcome, item, changed) => {
    const found = preview(policy, regional, central, outcome);
    expect(found.items).toMatchObject([{ conflictId: 'c', field: 'phone', ...item }]);
    expect([found.considered, found.changed]).toEqual([1, changed]);
  });

  it('takes the time of a group, leaves out what merged and what was not asked for, and tells no value', () => {
    const fields = {
      phone: disputed(1, 2),
      birth_date: disputed(1, 5),
      precision: disputed(9, 5),
    };
    const merged = { id: 'm', outcome: 'merge' as const, fields: { birth_date: disputed(1, 2, 'both') } };
    const found = previewPolicies(
      [{ id: 'c', outcome: null, fields }, merged],
      new Map([
        ['birth_date', 'latest'],
        ['precision', 'latest'],
      ]),
      FIELDS,
    );
    expect(found).toMatchObject({ considered: 2, changed: 2 });
    expect(found.items.map(({ field, wouldKeep }) => [field, wouldKeep])).toEqual([
      ['birthDate', 'regional'],
      ['precision', 'regional'],
    ]);
    expect(found.counts).toEqual({ was: { review: 2, policy: 0 }, wouldBe: { review: 0, policy: 2 } });
    expect(JSON.stringify(found)).not.toContain('secret');
  });
});

describe('a preview of policies', () => {
  let region: ConflictedNode;
  beforeAll(async () => {
    region = await ConflictedNode.start();
  });
  afterAll(() => region.stop());

  it('is over the newest conflicts of the caller’s region, and changes nothing', async () => {
    const patientId = await region.register();
    const phone = { phone: { base: null, regional: '+221776543210', central: '+221771234567' } };
    const at = (day: number) => ({ createdAt: `2026-03-0${day}T10:00:00.000Z` });
    await region.recorded({ patientId, fields: phone, ...at(1) });
    const second = await region.recorded({
      patientId,
      fields: phone,
      ...at(2),
      outcome: 'policy',
      state: 'resolved',
    });
    const third = await region.recorded({ patientId, fields: phone, ...at(3) });
    await region.recorded({ patientId, fields: phone, ...at(4), kind: 'removal' });
    const elsewhere = await region.as('medecin elsewhere')('POST /patients', {
      familyName: 'Sarr',
      givenNames: 'Ibou',
      birthDate: '1990-01-01',
      sex: 'male',
    });
    await region.recorded({ patientId: elsewhere.body.id, fields: phone, ...at(5), region: 'THS' });

    const body = { policies: { phone: 'latest' }, last: 2 };
    const { status, body: found } = await region.as('admin_regional')(
      'POST /conflicts/policies/preview',
      body,
    );
    expect(status).toBe(200);
    expect(found).toEqual({
      considered: 2,
      changed: 2,
      items: [
        { conflictId: third, field: 'phone', was: 'review', wouldBe: 'policy', wouldKeep: 'regional' },
        { conflictId: second, field: 'phone', was: 'policy', wouldBe: 'policy', wouldKeep: 'regional' },
      ],
      counts: { was: { review: 1, policy: 1 }, wouldBe: { review: 0, policy: 2 } },
    });
    expect((await region.as('admin_regional')(`GET /conflicts/${third}`)).body).toMatchObject({
      state: 'open',
      version: 1,
    });
  });

  it.each([
    [{ policies: { shoeSize: 'latest' } }, 400],
    [{ policies: { version: 'latest' } }, 400],
    [{ policies: { phone: 'mine' } }, 422],
    [{ policies: { birthDate: 'latest' } }, 422],
    [{ policies: { birthDate: 'latest', birthDatePrecision: 'review' } }, 422],
    [{ policies: { birthDate: 'latest', birthDatePrecision: 'latest' } }, 200],
    [{ policies: { phone: 'latest' }, last: 1001 }, 422],
    [{ policies: { phone: 'latest' }, last: 0 }, 422],
    [{ policies: { phone: 'latest' }, last: 'all' }, 400],
    [{ policies: 'latest' }, 400],
    [{ policies: {}, other: 1 }, 400],
    [{ policies: {}, entity: 'users' }, 422],
    [{}, 422],
  ])('of %j is %d', async (body, expected) => {
    expect((await region.as('admin_national')('POST /conflicts/policies/preview', body)).status).toBe(
      expected,
    );
  });

  it.each([
    ['medecin', 403],
    ['specialiste', 403],
    ['infirmier', 403],
    ['secretaire', 403],
    ['auditeur', 403],
    ['admin_regional', 200],
    ['admin_national', 200],
  ])('asked for by %s is %d', async (name, expected) => {
    const body = { policies: { phone: 'review' } };
    expect((await region.as(name)('POST /conflicts/policies/preview', body)).status).toBe(expected);
  });
});
