import fc from 'fast-check';
import type { ForeignEntry, IncomingEntry } from '../../src/apply/incoming-entry.js';
import type { Fields } from '../../src/apply/merge.js';
import { conflictsOf, planEntry, type Situation, type UpdatePlan } from '../../src/apply/plan-entry.js';
import type { MergeRule } from '../../src/journal/merge-rule.js';

const RULES = new Map<string, MergeRule>([
  ['id', { policy: 'fixed' }],
  ['name', { policy: 'review' }],
  ['birth_date', { policy: 'review', group: 'birth' }],
  ['birth_date_precision', { policy: 'review', group: 'birth' }],
  ['phone', { policy: 'latest' }],
  ['email', { policy: 'latest' }],
  ['version', { policy: 'version' }],
  ['updated_at', { policy: 'stamp' }],
]);
const KEPT_BESIDE = ['version', 'updated_at'];
const ROW: Fields = {
  id: 'p',
  name: 'Awa',
  birth_date: '1990-02-03',
  birth_date_precision: 'day',
  phone: '1',
  email: 'a',
  version: 3,
  updated_at: 't3',
};

const at = (minute: number) => new Date(Date.UTC(2026, 10, 22, 8, minute));

function incoming(op: string, after: Fields | null, minute = 10): IncomingEntry {
  const before = op === 'remove' ? ROW : null;
  const author = { at: at(minute), actor: 'a', actorName: null, role: null };
  const record = { entity: 'patients', entityId: 'p', patientId: 'p' };
  return { position: '1', origin: 'DKR', ...record, op, before, after, knows: '0', ...author };
}

function foreign(op: string, after: Fields | null, before: Fields | null, minute = 5): ForeignEntry {
  const author = { at: at(minute), actor: 'b', actorName: null, role: null };
  return { origin: 'THS', op, before, after, ...author };
}

const REMOVAL = foreign('remove', null, ROW);
const RESTORATION = foreign('restore', ROW, ROW);
const RENAMING = foreign('update', { name: 'Aïda', version: 3 }, { name: 'Awa', version: 2 });

const plan = (entry: IncomingEntry, situation: Partial<Situation>) =>
  planEntry(RULES, entry, { row: undefined, foreign: [], removal: undefined, ...situation });

describe('what becomes of an entry at central', () => {
  const update = incoming('update', { phone: '2', version: 4 });
  const removal = incoming('remove', null);

  it.each([
    ['an insert', incoming('insert', ROW), {}, 'insert'],
    [
      'an insert of what others have brought back',
      incoming('insert', ROW),
      { row: ROW, foreign: [RESTORATION] },
      'update',
    ],
    ['an update that knew all', update, { row: ROW }, 'update'],
    ['an update of what was never there', update, {}, 'missing'],
    ['an update of what was removed', update, { foreign: [REMOVAL], removal: REMOVAL }, 'revive'],
    ['an update of what was removed, and known to be', update, { removal: REMOVAL }, 'revive'],
    ['a removal that knew all', removal, { row: ROW }, 'remove'],
    ['a removal of what is gone', removal, { foreign: [REMOVAL], removal: REMOVAL }, 'nothing'],
    ['a removal of what was changed', removal, { row: ROW, foreign: [RENAMING] }, 'keep'],
    [
      'a removal of what was only brought back',
      removal,
      { row: ROW, foreign: [REMOVAL, RESTORATION] },
      'remove',
    ],
    [
      'a removal of what was changed and brought back',
      removal,
      { row: ROW, foreign: [RENAMING, RESTORATION] },
      'keep',
    ],
  ] as const)('%s', (_, entry, situation, kind) => {
    expect(plan(entry, situation).kind).toBe(kind);
  });

  it('a removal is told to its maker only when the row has been given back on the way', () => {
    expect(plan(removal, { row: ROW })).toMatchObject({ isTold: false });
    expect(plan(removal, { row: ROW, foreign: [REMOVAL] })).toMatchObject({ isTold: false });
    expect(plan(removal, { row: ROW, foreign: [REMOVAL, RESTORATION] })).toMatchObject({ isTold: true });
  });

  it('one that was brought back is told to everybody when others have removed it meanwhile', () => {
    const back = incoming('insert', { ...ROW, version: 4 });
    expect(plan(back, {})).toMatchObject({ kind: 'insert', isTold: false });
    expect(plan(back, { foreign: [REMOVAL], removal: REMOVAL })).toMatchObject({
      kind: 'insert',
      isTold: true,
    });
  });

  it('what another node changed before one removed it is not overwritten unseen', () => {
    const entry = incoming('update', { name: 'Fatou', version: 4 });
    const removed = { ...ROW, name: 'Aïda' };
    const gone = foreign('remove', null, removed, 6);
    const revived = plan(entry, { foreign: [RENAMING, gone], removal: gone });
    expect(conflictsOf(revived).map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ['removal', null],
      ['fields', null],
    ]);
    expect(revived).toMatchObject({ removed, update: { effective: [] } });
  });

  it.each([
    ['is gone', (gone: ForeignEntry) => ({ foreign: [gone], removal: gone })],
    [
      'was brought back',
      (gone: ForeignEntry) => ({
        row: gone.before!,
        foreign: [gone, foreign('restore', gone.before, gone.before)],
      }),
    ],
  ])('what lay below a discarded change is not overwritten unseen: the record %s', (_, situation) => {
    const gone = foreign('remove', null, { ...ROW, name: 'Aïda' }, 6);
    const entry = {
      ...incoming('update', { name: 'Fatou', version: 4 }),
      before: { name: 'Awa', version: 3 },
    };
    const planned = plan(entry, situation(gone));
    const fields = conflictsOf(planned).find(({ kind }) => kind === 'fields')?.fields;
    expect(fields).toMatchObject({
      name: { regional: { value: 'Fatou' }, central: { value: 'Aïda' }, kept: 'central' },
    });
    expect('update' in planned ? planned.update.effective : (planned as UpdatePlan).effective).not.toContain(
      'name',
    );
    const knew = { ...entry, before: { name: 'Aïda', version: 3 } };
    expect(conflictsOf(plan(knew, situation(gone))).filter(({ kind }) => kind === 'fields')).toEqual([]);
  });

  it('who brings back what others have brought back changes only what is not as it was', () => {
    const entry = incoming('insert', { ...ROW, name: 'Fatou', version: 4 });
    const restored = { ...ROW, phone: '5' };
    const others = [
      foreign('update', { phone: '5' }, { phone: '1' }),
      foreign('restore', restored, restored),
    ];
    expect(plan(entry, { row: restored, foreign: others })).toMatchObject({ effective: ['name'] });
  });

  it('what was only brought back is no change, but its maker is told of theirs', () => {
    const later = plan(incoming('update', { phone: '2', version: 4 }), {
      row: ROW,
      foreign: [REMOVAL, RESTORATION],
    }) as UpdatePlan;
    expect(later).toMatchObject({ effective: ['phone'], conflict: undefined });
    expect(later.verdicts.flatMap(({ columns }) => columns)).toContain('phone');
  });

  it('each value is told with the time when it was made', () => {
    const row = { ...ROW, phone: '5', email: 'z' };
    const others = [
      foreign('update', { phone: '5' }, { phone: '1' }, 20),
      foreign('update', { email: 'z' }, { email: 'a' }, 5),
    ];
    const { verdicts } = plan(incoming('update', { phone: '2', email: 'b', version: 4 }), {
      row,
      foreign: others,
    }) as UpdatePlan;
    const told = new Map(
      verdicts.flatMap(({ columns, at: time }) => columns.map((column) => [column, time])),
    );
    expect(told.get('phone')).toEqual(at(20));
    expect(told.get('email')).toEqual(at(10));
  });
});

const values = fc.dictionary(
  fc.constantFrom('name', 'phone', 'email', 'birth'),
  fc.integer({ min: 0, max: 2 }),
  {
    minKeys: 1,
  },
);
/** As entries have them: what belongs together, together. */
const changes = values.map(({ birth, ...rest }): Fields => {
  const group = birth === undefined ? {} : { birth_date: birth, birth_date_precision: birth % 2 };
  return { ...rest, ...group, version: 4, updated_at: 't4' };
});
const others = fc.array(fc.record({ after: changes, minute: fc.integer({ min: 0, max: 20 }) }), {
  minLength: 1,
  maxLength: 3,
});

describe('an update that did not know of others', () => {
  const cases = fc.tuple(changes, others).map(([after, made]) => {
    const entries: ForeignEntry[] = [];
    let row = ROW;
    for (const { after: other, minute } of made) {
      const before = Object.fromEntries(Object.keys(other).map((column) => [column, row[column]]));
      entries.push(foreign('update', other, before, minute));
      row = { ...row, ...other };
    }
    const planned = plan(incoming('update', after), { row, foreign: entries }) as UpdatePlan;
    return { after, entries, row, planned };
  });
  const content = (fields: Fields) => Object.keys(fields).filter((column) => !KEPT_BESIDE.includes(column));

  it('loses nothing: each of its values has effect, is what central has, or is in dispute', () => {
    fc.assert(
      fc.property(cases, ({ after, row, planned }) => {
        for (const column of content(after)) {
          const dispute = planned.conflict?.fields[column];
          const isKept =
            planned.effective.includes(column) ||
            row[column] === after[column] ||
            (dispute?.regional.value === after[column] && dispute?.central.value === row[column]);
          expect([column, isKept]).toEqual([column, true]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('overwrites nothing unseen: what others gave and it replaces is in dispute', () => {
    fc.assert(
      fc.property(cases, ({ after, entries, row, planned }) => {
        for (const column of content(after)) {
          const isUnseen = entries.some((entry) => column in entry.after!) && row[column] !== after[column];
          const isReplaced = planned.effective.includes(column);
          if (isUnseen && isReplaced)
            expect(planned.conflict?.fields[column]?.central.value).toBe(row[column]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('is told of each value that others had given too, and of the version, once', () => {
    fc.assert(
      fc.property(cases, ({ after, entries, planned }) => {
        const told = planned.verdicts.flatMap(({ columns }) => columns);
        expect(new Set(told).size).toBe(told.length);
        for (const column of content(after))
          if (entries.some((entry) => column in entry.after!)) expect(told).toContain(column);
        expect(told).toEqual(expect.arrayContaining(KEPT_BESIDE));
      }),
      { numRuns: 1_000 },
    );
  });

  it('has effect in whole groups only', () => {
    fc.assert(
      fc.property(cases, ({ planned }) => {
        const group = ['birth_date', 'birth_date_precision'];
        const counts = [planned.effective, planned.verdicts.flatMap(({ columns }) => columns)].map(
          (columns) => group.filter((column) => columns.includes(column)).length,
        );
        for (const count of counts) expect([0, 2]).toContain(count);
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives a version that neither side has', () => {
    fc.assert(
      fc.property(cases, ({ after, row, planned }) => {
        const version = Number(planned.restated.version);
        expect(version).toBeGreaterThan(Math.max(Number(after.version), Number(row.version)));
      }),
    );
  });
});
