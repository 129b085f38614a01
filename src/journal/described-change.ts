/** What the subscriber saw of one row. `before` is the row as JSON text, as it was when it was locked. */
export type DescribedChange =
  | { readonly table: string; readonly id: string; readonly op: 'insert'; readonly before?: undefined }
  | {
      readonly table: string;
      readonly id: string;
      readonly op: 'update' | 'remove';
      readonly before: string;
    };

/**
 * One change per row: what a transaction did to a row in several steps is what it did to it at the end.
 * A row that was inserted and removed leaves nothing; removed and inserted again, it was updated.
 * Keeps the order in which rows were first touched.
 */
export function foldChanges(changes: readonly DescribedChange[]): DescribedChange[] {
  const folded = new Map<string, DescribedChange>();
  for (const change of changes) {
    const key = `${change.table} ${change.id}`;
    const earlier = folded.get(key);
    const joined = earlier ? join(earlier, change) : change;
    if (joined) folded.set(key, joined);
    else folded.delete(key);
  }
  return [...folded.values()];
}

function join(earlier: DescribedChange, later: DescribedChange): DescribedChange | undefined {
  const { table, id } = earlier;
  if (earlier.op === 'insert') return later.op === 'remove' ? undefined : earlier;
  return { table, id, op: later.op === 'remove' ? 'remove' : 'update', before: earlier.before };
}
