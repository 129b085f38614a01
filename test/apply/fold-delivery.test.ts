import { isDeepStrictEqual } from 'node:util';
import { foldDelivery, type Folded, type OwnEdits } from '../../src/apply/fold-delivery.js';

const OPS = ['noop', 'update', 'merge', 'insert', 'restore', 'copy', 'remove'] as const;
const OWN: readonly OwnEdits[] = [
  { columns: new Set(), presence: undefined },
  { columns: new Set(['phone']), presence: undefined },
  { columns: new Set(), presence: 'removed' },
  { columns: new Set(['phone']), presence: 'removed' },
  { columns: new Set(), presence: 'made' },
  { columns: new Set(['phone']), presence: 'made' },
];

/** A row as the steps whose values are in it; 0 is what was there before. A step that holds the whole row covers all. */
type Row = readonly number[] | undefined;

const isWhole = (op: string | undefined) => op === 'insert' || op === 'restore' || op === 'copy';

const sequences = (length: number): string[][] =>
  length === 0 ? [[]] : sequences(length - 1).flatMap((ops) => OPS.map((op) => [...ops, op]));
const ALL = [0, 1, 2, 3, 4].flatMap(sequences);

describe('laying a delivery over a record', () => {
  it.each(OWN)('does what its steps say one after the other, under own edits %o', (own) => {
    const deviating = cases().filter(({ start, ops }) => {
      const expected = ops.reduce<Row>((row, op, nth) => oneByOne({ row, start }, op, nth + 1, own), start);
      return !isDeepStrictEqual(carriedOut(start, fold(start, ops, own), ops), expected);
    });
    expect(deviating).toEqual([]);
  });

  it('gives the same in one piece and in two', () => {
    const own = OWN[0]!;
    const deviating = cases().filter(({ start, ops }) => {
      const whole = carriedOut(start, fold(start, ops, own), ops);
      return ops.some((_, cut) => {
        const [begun, rest] = [ops.slice(0, cut), ops.slice(cut)];
        const first = carriedOut(start, fold(start, begun, own), ops);
        return !isDeepStrictEqual(carriedOut(first, fold(first, rest, own), ops, cut + 1), whole);
      });
    });
    expect(deviating).toEqual([]);
  });

  it('never brings back what was removed here, nor removes what was edited here', () => {
    const [, edited, removed, , made] = OWN;
    expect(ALL.filter((ops) => fold(undefined, ops, removed!).outcome !== 'keep')).toEqual([]);
    expect(ALL.filter((ops) => fold([0], ops, edited!).outcome === 'remove')).toEqual([]);
    expect(ALL.filter((ops) => fold([0], ops, made!).outcome === 'remove')).toEqual([]);
  });
});

const cases = () => [undefined, [0]].flatMap((start) => ALL.map((ops) => ({ start, ops })));

const fold = (row: Row, ops: readonly string[], own: OwnEdits) =>
  foldDelivery(
    row !== undefined,
    ops.map((op) => ({ op })),
    own,
  );

function oneByOne(
  { row, start }: { row: Row; start: Row },
  op: string,
  nth: number,
  { columns, presence }: OwnEdits,
): Row {
  if (op === 'noop') return row;
  if (op === 'remove') {
    // Central makes it again as it was made here.
    if (presence === 'made') return start;
    return columns.size > 0 ? row : undefined;
  }
  if (row) return isWhole(op) ? [nth] : [...row, nth];
  return isWhole(op) && presence !== 'removed' ? [nth] : undefined;
}

function carriedOut(row: Row, folded: Folded, ops: readonly string[], first = 1): Row {
  if (!('steps' in folded)) return folded.outcome === 'keep' ? row : undefined;
  const laid: readonly number[] = folded.outcome === 'create' ? [] : (row ?? []);
  return folded.steps.reduce<readonly number[]>((under, index) => {
    const nth = index + first;
    return isWhole(ops[nth - 1]) ? [nth] : [...under, nth];
  }, laid);
}
