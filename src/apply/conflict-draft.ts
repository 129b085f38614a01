import type { DisputedField, DisputedFields, DisputedSide } from '../conflicts/disputed-fields.js';
import type { MergeRule } from '../journal/merge-rule.js';
import type { ForeignEntry, IncomingEntry } from './incoming-entry.js';
import type { Fields, MergedUnit, Side } from './merge.js';

/** A conflict that is about to be recorded. See `src/conflicts/conflict.entity.ts` for its members. */
export interface ConflictDraft {
  readonly kind: 'fields' | 'removal' | 'identity';
  readonly severity: 'low' | 'high' | 'critical';
  readonly outcome: 'merge' | 'policy' | null;
  readonly fields: DisputedFields;
  readonly otherId?: string;
}

type Author = Pick<ForeignEntry, 'origin' | 'actor' | 'actorName' | 'role' | 'at'>;

/** What to record of a merge: nothing when both sides said the same, or when the record is central's own. */
export function fieldsConflict(
  rules: ReadonlyMap<string, MergeRule>,
  entry: IncomingEntry,
  foreign: readonly ForeignEntry[],
  units: readonly MergedUnit[],
  sides: { readonly central: Side; readonly regional: Side; readonly base: Fields },
): ConflictDraft | undefined {
  const told = units.filter(({ policy }) => policy !== 'central' && policy !== 'fixed');
  const disputed = told.filter(({ verdict }) => verdict === 'disputed');
  const describe = (recorded: readonly MergedUnit[]) => describeUnits(recorded, entry, foreign, sides);
  const toReview = disputed.filter(({ policy }) => policy === 'review');
  if (toReview.length > 0) {
    const isClinical = toReview.some(({ columns }) => columns.some((column) => rules.get(column)?.clinical));
    const severity = isClinical ? 'critical' : 'high';
    return { kind: 'fields', severity, outcome: null, fields: describe(disputed) };
  }
  if (disputed.length > 0)
    return { kind: 'fields', severity: 'low', outcome: 'policy', fields: describe(disputed) };
  const isMerge = ['regional', 'central'].every((side) => told.some(({ verdict }) => verdict === side));
  if (!isMerge) return undefined;
  return { kind: 'fields', severity: 'low', outcome: 'merge', fields: describe(told) };
}

/** One node has removed what another has changed; `row` is the record as it was kept or brought back. */
export function removalConflict(
  rules: ReadonlyMap<string, MergeRule>,
  entry: IncomingEntry,
  {
    remover,
    changer,
  }: {
    readonly remover: Author;
    readonly changer: Author & { readonly after: Fields | null; readonly before: Fields | null };
  },
  row: Fields,
): ConflictDraft {
  const columns = Object.keys(changer.after ?? {}).filter((column) => isContent(rules, column));
  const isRemoverRegional = remover === entry;
  const field = (column: string): DisputedField => {
    const [gone, kept] = [sideOf(null, remover), sideOf(changer.after?.[column] ?? null, changer)];
    return {
      base: changer.before?.[column] ?? row[column] ?? null,
      regional: isRemoverRegional ? gone : kept,
      central: isRemoverRegional ? kept : gone,
      kept: isRemoverRegional ? 'central' : 'regional',
    };
  };
  return {
    kind: 'removal',
    severity: 'critical',
    outcome: null,
    fields: Object.fromEntries(columns.map((column) => [column, field(column)])),
  };
}

function isContent(rules: ReadonlyMap<string, MergeRule>, column: string): boolean {
  return !['version', 'stamp', 'fixed'].includes(rules.get(column)?.policy ?? 'review');
}

function describeUnits(
  units: readonly MergedUnit[],
  entry: IncomingEntry,
  foreign: readonly ForeignEntry[],
  { central, regional, base }: { readonly central: Side; readonly regional: Side; readonly base: Fields },
): DisputedFields {
  const described = units.flatMap(({ columns, kept, verdict }) =>
    columns.map((column): [string, DisputedField] => [
      column,
      {
        base: base[column] ?? null,
        regional: sideOf(regional.record[column] ?? null, entry),
        central: sideOf(central.record[column] ?? null, authorOf(columns, foreign)),
        kept: verdict === 'disputed' ? kept : 'both',
      },
    ]),
  );
  return Object.fromEntries(described);
}

/** Who has changed any of these columns last; else who has changed the record last. */
function authorOf(columns: readonly string[], foreign: readonly ForeignEntry[]): Author {
  const touching = foreign.findLast(({ after }) => columns.some((column) => column in (after ?? {})));
  return touching ?? foreign.at(-1)!;
}

function sideOf(value: unknown, { actor, actorName, role, at, origin }: Author): DisputedSide {
  return { value, actor, actorName, role, at: at.toISOString(), node: origin };
}
