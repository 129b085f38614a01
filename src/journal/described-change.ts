/** What is told of a row, by the events of TypeORM. */
export type WriteOp = 'insert' | 'update' | 'remove';

/**
 * What the subscriber saw of one row. `before` is the row as JSON text, as it was when it was locked. `gone`
 * comes of folding alone: inserted and removed again, which leaves nothing behind.
 */
export type DescribedChange =
  | {
      readonly table: string;
      readonly id: string;
      readonly op: 'insert' | 'gone';
      readonly before?: undefined;
    }
  | {
      readonly table: string;
      readonly id: string;
      readonly op: 'update' | 'remove';
      readonly before: string;
    };

/**
 * One change per row: what a transaction did to a row in several steps is what it did to it at the end.
 * Removed and inserted again, a row was updated. Keeps the order in which rows were first touched.
 */
export function foldChanges(changes: readonly DescribedChange[]): DescribedChange[] {
  const folded = new Map<string, DescribedChange>();
  for (const change of changes) {
    const key = `${change.table} ${change.id}`;
    const earlier = folded.get(key);
    folded.set(key, earlier ? join(earlier, change) : change);
  }
  return [...folded.values()];
}

function join(earlier: DescribedChange, later: DescribedChange): DescribedChange {
  const { table, id } = earlier;
  const remains = later.op !== 'remove';
  if (earlier.before === undefined) return { table, id, op: remains ? 'insert' : 'gone' };
  return { table, id, op: remains ? 'update' : 'remove', before: earlier.before };
}
