/** What a delivery says about one record, in order. `after` may be the whole row, or some of its columns. */
export interface Step {
  readonly op: string;
}

/** What this node has done to the record since, and central had not judged when the delivery was read. */
export interface OwnEdits {
  /** The columns that own updates have set. */
  readonly columns: ReadonlySet<string>;
  /** Whether it was removed here, or made (or brought back), whichever came last. */
  readonly presence: 'removed' | 'made' | undefined;
}

/**
 * What a delivery makes of a record.
 *
 * - `keep`: nothing.
 * - `remove`: its row goes.
 * - `write`: the steps from `from` on are laid over the row (`update`), or make it (`create`).
 */
export type Folded =
  | { readonly outcome: 'keep' | 'remove' }
  | { readonly outcome: 'create' | 'update'; readonly steps: readonly number[] };

/** They hold the whole row, and so may bring one back. */
const WHOLE = ['insert', 'restore', 'copy'];

/**
 * Lays what came down over a record, under what this node has done to it since: its own edits stay on top until
 * central has judged them, and the verdict comes down afterwards. A removal gives way to an own edit, and nothing
 * brings back what was removed here, until then. Nor does a removal take what was made here after it: central will make
 * that again, just as it was made here, so that what was laid over it before the removal goes.
 */
export function foldDelivery(exists: boolean, steps: readonly Step[], own: OwnEdits): Folded {
  let isThere = exists;
  let laid: number[] = [];
  steps.forEach(({ op }, index) => {
    if (op === 'noop') return;
    if (op === 'remove') {
      const isMade = own.presence === 'made';
      if (own.columns.size > 0 && !isMade) return;
      isThere = exists && isMade;
      laid = [];
    } else if (isThere) {
      laid.push(index);
    } else if (WHOLE.includes(op) && own.presence !== 'removed') {
      isThere = true;
      laid = [index];
    }
  });
  if (!isThere) return { outcome: exists ? 'remove' : 'keep' };
  if (laid.length === 0) return { outcome: 'keep' };
  return { outcome: exists ? 'update' : 'create', steps: laid };
}
