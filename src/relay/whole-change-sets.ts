/** Something to deliver, as little of it as is needed to cut. */
export interface Pending {
  readonly seq: number;
  /** Where its change set ends, among all that is to be delivered. */
  readonly setEnds: number;
}

/**
 * The last position up to which no change set goes on behind; `undefined` when there is none. `through` is how far
 * the page looks when it ends before: when all sets of it are whole, so is everything up to there.
 */
export function lastWhole(page: readonly Pending[], through: number): number | undefined {
  let openUntil = 0;
  let border: number | undefined;
  for (const { seq, setEnds } of page) {
    openUntil = Math.max(openUntil, setEnds);
    if (openUntil <= seq) border = seq;
  }
  return openUntil <= (page.at(-1)?.seq ?? 0) ? through : border;
}
