import { isDeepStrictEqual } from 'node:util';
import type { MergeRule } from '../journal/merge-rule.js';
import { type ConflictDraft, fieldsConflict, removalConflict } from './conflict-draft.js';
import type { ForeignEntry, IncomingEntry } from './incoming-entry.js';
import { BOOKKEEPING, type Fields, isSame, merge, type MergedUnit, type Side } from './merge.js';

/** What central has for the record of an entry. */
export interface Situation {
  /** Central's row; `undefined` when it is not there. */
  readonly row: Fields | undefined;
  /** What other nodes did to the record, and the entry's maker did not know of. Oldest first. */
  readonly foreign: readonly ForeignEntry[];
  /** The last removal of the record, when it is not there. */
  readonly removal: ForeignEntry | undefined;
}

/** Columns whose value every copy must be told, because others have changed them too, and when it was made. */
export interface Told {
  readonly columns: readonly string[];
  readonly at: Date;
}

export interface UpdatePlan {
  readonly kind: 'update';
  /** The columns of the entry that take effect. */
  readonly effective: readonly string[];
  /** Values that neither the row nor the entry has: those of a merge itself. */
  readonly restated: Fields;
  readonly verdicts: readonly Told[];
  readonly conflict: ConflictDraft | undefined;
  /** Two people had decided it differently, so it is undecided again. */
  readonly reopened: boolean;
}

/**
 * What becomes of an entry at central.
 *
 * - `insert`, `remove`: as it says.
 * - `update`: merged. So is an insert of what is there, since others have brought it back meanwhile.
 * - `nothing`: it removes what is gone already.
 * - `keep`: it removes what another node has changed meanwhile. The update wins: everybody gets the row back.
 * - `revive`: it changes what another node has removed meanwhile. The update wins here too, merged into the row that
 *   was removed.
 * - `missing`: it changes what was never there.
 */
export type Plan =
  | UpdatePlan
  | { readonly kind: 'nothing' | 'missing' }
  /** `isTold`: who made the entry must be told too, since on the way they are told of the opposite. */
  | { readonly kind: 'insert' | 'remove'; readonly isTold: boolean }
  | { readonly kind: 'keep'; readonly conflict: ConflictDraft }
  | {
      readonly kind: 'revive';
      readonly removed: Fields;
      readonly update: UpdatePlan;
      readonly conflict: ConflictDraft;
    };

/** What a plan has people told of, and decide. */
export function conflictsOf(plan: Plan): ConflictDraft[] {
  const drafts = [
    'conflict' in plan ? plan.conflict : undefined,
    'update' in plan ? plan.update.conflict : undefined,
  ];
  return drafts.filter((draft) => draft !== undefined);
}

/** Decides what becomes of `entry`, from what central has and has not been known to its maker. */
export function planEntry(
  rules: ReadonlyMap<string, MergeRule>,
  entry: IncomingEntry,
  { row, foreign, removal }: Situation,
): Plan {
  if (entry.op === 'insert')
    return row ? planReturn(rules, entry, row, foreign) : { kind: 'insert', isTold: foreign.some(isRemoval) };
  if (entry.op === 'remove') return planRemoval(rules, entry, row, foreign);
  if (row) return planUpdate(rules, entry, row, foreign);
  if (!removal?.before) return { kind: 'missing' };
  return planRevival(rules, entry, removal, removal.before, foreign);
}

/** Who brings back what others have brought back already has changed what they did not bring back as it was. */
function planReturn(
  rules: ReadonlyMap<string, MergeRule>,
  entry: IncomingEntry,
  row: Fields,
  foreign: readonly ForeignEntry[],
): Plan {
  const base = baseOf(row, foreign);
  const changes = Object.entries(entry.after ?? {}).filter(
    ([column, value]) => !isDeepStrictEqual(value, base[column]),
  );
  return planUpdate(rules, { ...entry, after: Object.fromEntries(changes) }, row, foreign);
}

/** What others had changed before one of them removed it is not overwritten unseen either. */
function planRevival(
  rules: ReadonlyMap<string, MergeRule>,
  entry: IncomingEntry,
  removal: ForeignEntry,
  removed: Fields,
  foreign: readonly ForeignEntry[],
): Plan {
  const changes = foreign.filter((other) => !isRemoval(other));
  const hadAll = otherwiseThan(rules, entry, baseOf(removed, foreign)).length === 0;
  const update = planUpdate(rules, entry, removed, hadAll ? changes : foreign);
  const conflict = removalConflict(rules, entry, { remover: removal, changer: entry }, removed);
  return { kind: 'revive', removed, update, conflict };
}

const isRemoval = ({ op }: ForeignEntry) => op === 'remove';

function planRemoval(
  rules: ReadonlyMap<string, MergeRule>,
  entry: IncomingEntry,
  row: Fields | undefined,
  foreign: readonly ForeignEntry[],
): Plan {
  if (!row) return { kind: 'nothing' };
  const changer = foreign.findLast((other) => other.op !== 'remove' && changedColumns(other).length > 0);
  if (!changer) return { kind: 'remove', isTold: foreign.some(({ after }) => after !== null) };
  return { kind: 'keep', conflict: removalConflict(rules, entry, { remover: entry, changer }, row) };
}

function planUpdate(
  rules: ReadonlyMap<string, MergeRule>,
  entry: IncomingEntry,
  row: Fields,
  foreign: readonly ForeignEntry[],
): UpdatePlan {
  const after = entry.after ?? {};
  if (foreign.length === 0) {
    return {
      kind: 'update',
      effective: Object.keys(after),
      restated: {},
      verdicts: [],
      conflict: undefined,
      reopened: false,
    };
  }
  const [central, regional] = [centralSide(rules, entry, row, foreign), regionalSide(row, entry, foreign)];
  const units = merge(rules, central, regional);
  const won = units.filter(({ kept, verdict }) => kept === 'regional' && verdict !== 'central');
  const bookkeeping = mergedBookkeeping(rules, row, entry, foreign);
  const reopened = undecided(rules, units);
  return {
    kind: 'update',
    effective: won.flatMap(({ columns }) => columns).filter((column) => column in after),
    restated: { ...bookkeeping, ...reopened },
    verdicts: verdictsOf(units, entry, foreign, Object.keys(bookkeeping)),
    conflict: fieldsConflict(rules, entry, foreign, units, { central, regional, base: baseOf(row, foreign) }),
    reopened: Object.keys(reopened).length > 0,
  };
}

/** Of two decisions that differ, neither stands. */
function undecided(rules: ReadonlyMap<string, MergeRule>, units: readonly MergedUnit[]): Fields {
  const disputed = units.filter(({ verdict }) => verdict === 'disputed').flatMap(({ columns }) => columns);
  const again = disputed.flatMap((column) => {
    const value = rules.get(column)?.undecided;
    return value === undefined ? [] : [[column, value] as const];
  });
  return Object.fromEntries(again);
}

/** Central's row, with the columns that others have changed since the entry's maker last heard of it, or did not see. */
function centralSide(
  rules: ReadonlyMap<string, MergeRule>,
  entry: IncomingEntry,
  row: Fields,
  foreign: readonly ForeignEntry[],
): Side {
  const last = foreign.at(-1)!;
  const changed = new Map<string, number>();
  for (const other of foreign) {
    for (const column of changedColumns(other))
      changed.set(column, Math.max(changed.get(column) ?? 0, other.at.getTime()));
  }
  for (const column of otherwiseThan(rules, entry, baseOf(row, foreign)))
    if (!changed.has(column)) changed.set(column, last.at.getTime());
  return { record: row, changed, node: last.origin };
}

/**
 * The columns of which the entry's maker has changed something else than `base`. Central's value had come there, but
 * stayed below a change of the node's own that was waiting; that one was discarded since, so nobody has seen both.
 */
function otherwiseThan(
  rules: ReadonlyMap<string, MergeRule>,
  { before }: IncomingEntry,
  base: Fields,
): string[] {
  return Object.entries(before ?? {}).flatMap(([column, value]) => {
    const isContent = !BOOKKEEPING.includes(rules.get(column)?.policy ?? 'review');
    return isContent && !isSame(rules, column, value, base[column]) ? [column] : [];
  });
}

/** Who brings back a record tells all of it, and has changed nothing of what it was before. */
function changedColumns({ op, before, after }: ForeignEntry): string[] {
  const columns = Object.keys(after ?? {});
  return op === 'restore' ? columns.filter((column) => !(column in (before ?? {}))) : columns;
}

/** By the time when the values were made: a later one must not be taken for older than it is, nor the other way round. */
function verdictsOf(
  units: readonly MergedUnit[],
  entry: IncomingEntry,
  foreign: readonly ForeignEntry[],
  bookkeeping: readonly string[],
): Told[] {
  const touched = new Set(foreign.flatMap(({ after }) => Object.keys(after ?? {})));
  const last = Math.max(entry.at.getTime(), ...foreign.map(({ at }) => at.getTime()));
  const byTime = new Map<number, string[]>();
  const tell = (at: number, columns: readonly string[]) =>
    byTime.set(at, [...(byTime.get(at) ?? []), ...columns]);
  for (const { columns, verdict, at } of units)
    if (verdict !== 'central' && columns.some((column) => touched.has(column))) tell(at, columns);
  if (bookkeeping.length > 0) tell(last, bookkeeping);
  return [...byTime].map(([at, columns]) => ({ columns, at: new Date(at) }));
}

/** The record as the entry's maker had it after the change. */
function regionalSide(row: Fields, entry: IncomingEntry, foreign: readonly ForeignEntry[]): Side {
  const after = entry.after ?? {};
  return {
    record: { ...baseOf(row, foreign), ...after },
    changed: new Map(Object.keys(after).map((column) => [column, entry.at.getTime()])),
    node: entry.origin,
  };
}

/** The record before the foreign changes: each column as the first of them found it. */
function baseOf(row: Fields, foreign: readonly ForeignEntry[]): Fields {
  return foreign.toReversed().reduce((record, { before }) => ({ ...record, ...before }), row);
}

/** A merge is one more version, so that a screen of either side is found stale; its stamp is the later side's. */
function mergedBookkeeping(
  rules: ReadonlyMap<string, MergeRule>,
  row: Fields,
  entry: IncomingEntry,
  foreign: readonly ForeignEntry[],
): Fields {
  const after = entry.after ?? {};
  const isLater = foreign.every(({ at }) => entry.at > at);
  const restated = [...rules].flatMap(([column, { policy }]) => {
    if (policy === 'version')
      return [[column, Math.max(Number(row[column]), Number(after[column] ?? 0)) + 1] as const];
    if (policy === 'stamp')
      return [[column, isLater && column in after ? after[column] : row[column]] as const];
    return [];
  });
  return Object.fromEntries(restated);
}
