import type { MergePolicy, MergeRule } from '../journal/merge-rule.js';
import { sameText } from '../journal/same-text.js';

/** Values by column, as JSON has them. */
export type Fields = Readonly<Record<string, unknown>>;

/** One of two versions of a record that were made apart. */
export interface Side {
  /** The whole record, as this side has it. */
  readonly record: Fields;
  /** The columns that it has changed since both were one, and when, in milliseconds since 1970. */
  readonly changed: ReadonlyMap<string, number>;
  /** A region's code, or `central`. */
  readonly node: string;
}

/**
 * - `regional`, `central`: only that side has changed it.
 * - `agreed`: both have, to the same value.
 * - `disputed`: both have, to different values.
 */
export type UnitVerdict = 'regional' | 'central' | 'agreed' | 'disputed';

/** What became of a column, or of a group of columns that is one value. */
export interface MergedUnit {
  readonly columns: readonly string[];
  readonly policy: MergePolicy;
  readonly verdict: UnitVerdict;
  /** Whose value is in force. */
  readonly kept: 'regional' | 'central';
  /** When the value in force was made, in milliseconds since 1970. */
  readonly at: number;
}

/** Kept beside the values, and merged by rules of their own. */
export const BOOKKEEPING: readonly MergePolicy[] = ['version', 'stamp'];

/**
 * Merges a regional version of a record into central's: says for each value that either side has changed whose is
 * in force, and where they differ. Columns without a rule are of a newer version; nobody can say that they differ
 * by right, so they are reviewed.
 *
 * It does not depend on which side is called which, but for one thing: of two values that nothing decides
 * between, central's is in force until a person has decided.
 */
export function merge(
  rules: ReadonlyMap<string, MergeRule>,
  central: Side,
  regional: Side,
): readonly MergedUnit[] {
  const changed = [...new Set([...regional.changed.keys(), ...central.changed.keys()])];
  const units = new Map(changed.map((column) => [unitName(rules, column), unitOf(rules, column)]));
  return [...units.values()]
    .filter(({ policy }) => !BOOKKEEPING.includes(policy))
    .map((unit) => mergeUnit(rules, unit, central, regional));
}

interface Unit {
  readonly columns: readonly string[];
  readonly policy: MergePolicy;
}

function unitName(rules: ReadonlyMap<string, MergeRule>, column: string): string {
  const group = rules.get(column)?.group;
  return group === undefined ? `column ${column}` : `group ${group}`;
}

function unitOf(rules: ReadonlyMap<string, MergeRule>, column: string): Unit {
  const rule = rules.get(column);
  const policy = rule?.policy ?? 'review';
  if (rule?.group === undefined) return { columns: [column], policy };
  const columns = [...rules].filter(([, { group }]) => group === rule.group).map(([name]) => name);
  return { columns, policy };
}

function mergeUnit(
  rules: ReadonlyMap<string, MergeRule>,
  { columns, policy }: Unit,
  central: Side,
  regional: Side,
): MergedUnit {
  const [regionalAt, centralAt] = [lastChange(columns, regional), lastChange(columns, central)];
  const settled = (verdict: UnitVerdict, kept: MergedUnit['kept'], at: number) => ({
    columns,
    policy,
    verdict,
    kept,
    at,
  });
  if (centralAt === undefined) return settled('regional', 'regional', regionalAt!);
  if (regionalAt === undefined) return settled('central', 'central', centralAt);
  const agree = (column: string) => isSame(rules, column, regional.record[column], central.record[column]);
  if (columns.every(agree)) return settled('agreed', 'central', Math.max(regionalAt, centralAt));
  const isLater = regionalAt === centralAt ? regional.node > central.node : regionalAt > centralAt;
  return policy === 'latest' && isLater
    ? settled('disputed', 'regional', regionalAt)
    : settled('disputed', 'central', centralAt);
}

/** Whether two values of a column mean the same. */
export function isSame(
  rules: ReadonlyMap<string, MergeRule>,
  column: string,
  one: unknown,
  other: unknown,
): boolean {
  return (rules.get(column)?.same ?? sameText)(one ?? null, other ?? null);
}

function lastChange(columns: readonly string[], { changed }: Side): number | undefined {
  const times = columns.flatMap((column) => changed.get(column) ?? []);
  return times.length > 0 ? Math.max(...times) : undefined;
}
