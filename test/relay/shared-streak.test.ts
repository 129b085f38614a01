import { SharedStreak } from '../../src/relay/shared-streak.js';

/** Which of chunks are tried at once, when those at `shared` turn out to touch shared patients. */
function triedOf(chunks: number, shared: (nth: number) => boolean): number[] {
  const streak = new SharedStreak();
  const tried: number[] = [];
  for (let nth = 0; nth < chunks; nth++) {
    if (streak.goesOn) {
      streak.untried();
      continue;
    }
    tried.push(nth);
    streak.tried(shared(nth));
  }
  return tried;
}

describe('a streak of chunks of shared patients', () => {
  it('is tried ever more seldom, and one chunk in nine in the end', () => {
    expect(triedOf(36, () => true)).toEqual([0, 2, 5, 10, 19, 28]);
  });

  it('ends with the first that was not: from there on each is tried', () => {
    expect(triedOf(9, (nth) => nth < 4)).toEqual([0, 2, 5, 6, 7, 8]);
  });

  it('costs a chunk that is alone in this one untried one', () => {
    expect(triedOf(6, (nth) => nth === 1)).toEqual([0, 1, 3, 4, 5]);
  });
});
