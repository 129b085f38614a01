import fc from 'fast-check';
import { lastWhole, type Pending } from '../../src/relay/whole-change-sets.js';

/** What is to be delivered: the change set of each position, some positions apart. */
const pending = fc
  .array(fc.record({ set: fc.integer({ min: 0, max: 4 }), gap: fc.integer({ min: 1, max: 3 }) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((items) => {
    let seq = 0;
    return items.map(({ set, gap }) => ({ set, seq: (seq += gap) }));
  });

describe('where a delivery may be cut', () => {
  it('is behind the last position of the page that no change set goes on behind', () => {
    fc.assert(
      fc.property(pending, fc.integer({ min: 1, max: 12 }), (all, limit) => {
        const page = all.slice(0, limit);
        const isBorder = (seq: number) =>
          all.every(
            ({ set, seq: one }) => one > seq || all.every((other) => other.set !== set || other.seq <= seq),
          );
        const borders = page.map(({ seq }) => seq).filter(isBorder);
        expect(lastWhole(withEnds(page, all), page.at(-1)!.seq)).toBe(borders.at(-1));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is where the page looks to, when all its sets are whole', () => {
    fc.assert(
      fc.property(pending, (all) => {
        const through = all.at(-1)!.seq + 7;
        expect(lastWhole(withEnds(all, all), through)).toBe(through);
      }),
    );
    expect(lastWhole([], 9)).toBe(9);
  });
});

function withEnds(
  page: readonly { set: number; seq: number }[],
  all: readonly { set: number; seq: number }[],
): Pending[] {
  return page.map(({ set, seq }) => ({ seq, setEnds: all.findLast((other) => other.set === set)!.seq }));
}
