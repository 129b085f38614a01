import fc from 'fast-check';
import { merge, type MergedUnit, type Side } from '../../src/apply/merge.js';
import type { MergePolicy, MergeRule } from '../../src/journal/merge-rule.js';

const RULES = new Map<string, MergeRule>([
  ['phone', { policy: 'latest' }],
  ['street', { policy: 'latest', group: 'address' }],
  ['city', { policy: 'latest', group: 'address' }],
  ['name', { policy: 'review' }],
  ['birth_date', { policy: 'review', group: 'birth' }],
  ['birth_date_precision', { policy: 'review', group: 'birth' }],
  ['blood_group', { policy: 'review', clinical: true }],
  ['kind', { policy: 'central' }],
  ['id', { policy: 'fixed' }],
  ['version', { policy: 'version' }],
  ['updated_at', { policy: 'stamp' }],
]);
/** One that this version of the product does not know. */
const COLUMNS = [...RULES.keys(), 'of_a_newer_version'];

const record = fc.record(
  Object.fromEntries(COLUMNS.map((column) => [column, fc.integer({ min: 0, max: 2 })])),
);
const changed = fc
  .dictionary(fc.constantFrom(...COLUMNS), fc.integer({ min: 0, max: 5 }), { maxKeys: 6 })
  .map((times) => new Map(Object.entries(times)));
const sideOf = (...nodes: string[]): fc.Arbitrary<Side> =>
  fc.record({ record, changed, node: fc.constantFrom(...nodes) });
const CENTRAL = sideOf('central', 'THS', 'KLK');
const REGIONAL = sideOf('DKR');

const nameOf = ({ columns }: MergedUnit) => columns.join();
const inForce = ({ columns, kept }: MergedUnit, central: Side, regional: Side) =>
  columns.map((column) => (kept === 'central' ? central : regional).record[column]);
const isUndecided = (policy: MergePolicy) => policy !== 'latest';

describe('merging two versions of a record', () => {
  it('gives the same whichever side is called which, but that of the undecided central’s is in force', () => {
    const mirrored = { regional: 'central', central: 'regional', agreed: 'agreed', disputed: 'disputed' };
    fc.assert(
      fc.property(CENTRAL, REGIONAL, (one, other) => {
        const there = new Map(merge(RULES, other, one).map((unit) => [nameOf(unit), unit]));
        const here = merge(RULES, one, other);
        expect(here.map(nameOf).sort()).toEqual([...there.keys()].sort());
        for (const unit of here) {
          const twin = there.get(nameOf(unit))!;
          expect(twin.verdict).toBe(mirrored[unit.verdict]);
          if (unit.verdict === 'disputed' && isUndecided(unit.policy))
            expect([unit.kept, twin.kept]).toEqual(['central', 'central']);
          else expect(inForce(unit, one, other)).toEqual(inForce(twin, other, one));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('merged once more, changes nothing', () => {
    fc.assert(
      fc.property(CENTRAL, REGIONAL, (central, regional) => {
        const units = merge(RULES, central, regional);
        const again = merge(RULES, outcomeOf(units, central, regional), regional);
        const values = new Map(units.map((unit) => [nameOf(unit), inForce(unit, central, regional)]));
        for (const unit of again) {
          const side = outcomeOf(units, central, regional);
          expect(inForce(unit, side, regional)).toEqual(values.get(nameOf(unit)));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('loses no value: each that was changed is in force, agreed on, or in dispute', () => {
    fc.assert(
      fc.property(CENTRAL, REGIONAL, (central, regional) => {
        const units = merge(RULES, central, regional);
        for (const [side, { changed: own }] of [
          ['central', central] as const,
          ['regional', regional] as const,
        ]) {
          for (const column of own.keys()) {
            const found = units.filter(({ columns }) => columns.includes(column));
            const isKeptBeside = ['version', 'stamp'].includes(RULES.get(column)?.policy ?? '');
            expect(found).toHaveLength(isKeptBeside ? 0 : 1);
            for (const { verdict, kept } of found)
              expect(kept === side || verdict === 'agreed' || verdict === 'disputed').toBe(true);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes a group from one side, whole', () => {
    fc.assert(
      fc.property(CENTRAL, REGIONAL, (central, regional) => {
        for (const { columns } of merge(RULES, central, regional)) {
          const groups = new Set(columns.map((column) => RULES.get(column)?.group));
          expect(groups.size).toBe(1);
          const [group] = groups;
          const members = [...RULES].filter(([, rule]) => rule.group === group).map(([column]) => column);
          if (group !== undefined) expect(columns).toEqual(members);
          else expect(columns).toHaveLength(1);
        }
      }),
    );
  });

  it('takes the later of two contact values, and of two at the same time always the same one', () => {
    const phone = (at: number, node: string): Side => ({
      record: { phone: `by ${node}` },
      changed: new Map([['phone', at]]),
      node,
    });
    const kept = (central: Side, regional: Side) => merge(RULES, central, regional)[0]!.kept;
    expect(kept(phone(1, 'THS'), phone(2, 'DKR'))).toBe('regional');
    expect(kept(phone(2, 'THS'), phone(1, 'DKR'))).toBe('central');
    expect(kept(phone(1, 'THS'), phone(1, 'DKR'))).toBe('central');
    expect(kept(phone(1, 'DKR'), phone(1, 'THS'))).toBe('regional');
  });

  it('has a person decide on what this version does not know', () => {
    const side = (value: string): Side => ({
      record: { of_a_newer_version: value },
      changed: new Map([['of_a_newer_version', 1]]),
      node: value,
    });
    expect(merge(RULES, side('a'), side('b'))).toMatchObject([{ policy: 'review', verdict: 'disputed' }]);
  });
});

/** Central's side after a merge: with each value, when it was made. */
function outcomeOf(units: readonly MergedUnit[], central: Side, regional: Side): Side {
  const outcome = { record: { ...central.record }, changed: new Map(central.changed), node: central.node };
  for (const { columns, kept } of units) {
    if (kept === 'central') continue;
    for (const column of columns) {
      outcome.record[column] = regional.record[column];
      const at = regional.changed.get(column);
      if (at === undefined) outcome.changed.delete(column);
      else outcome.changed.set(column, at);
    }
  }
  return outcome;
}
