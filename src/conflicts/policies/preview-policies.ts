import type { Conflict } from '../conflict.entity.js';
import type { DisputableField } from '../disputable.js';
import type { DisputedField, DisputedFields } from '../disputed-fields.js';
import type { PolicyPreviewDto, PreviewedPolicy, PreviewItem } from './preview.dto.js';

type Past = Pick<Conflict, 'id' | 'fields' | 'outcome'>;
type KeptField = DisputedField & { readonly kept: PreviewItem['wouldKeep'] };

/**
 * What these conflicts would have become under other policies, by column. Nothing is decided, and no value is told.
 * Fields in which both sides fitted together were in no dispute.
 */
export function previewPolicies(
  conflicts: readonly Past[],
  policies: ReadonlyMap<string, PreviewedPolicy>,
  fields: readonly DisputableField[],
): PolicyPreviewDto {
  const known = fields.filter(({ column }) => policies.has(column));
  const previewed = conflicts.flatMap((conflict) =>
    known.flatMap((field) => {
      const disputed = conflict.fields[field.column];
      if (!disputed || !isDisputed(disputed)) return [];
      const policy = policies.get(field.column)!;
      const item = itemOf(conflict, field, fields, policy);
      return [{ item, isChanged: item.was !== item.wouldBe || item.wouldKeep !== disputed.kept }];
    }),
  );
  const items = previewed.map(({ item }) => item);
  return {
    considered: conflicts.length,
    changed: previewed.filter(({ isChanged }) => isChanged).length,
    items,
    counts: { was: countOf(items, 'was'), wouldBe: countOf(items, 'wouldBe') },
  };
}

function isDisputed(field: DisputedField): field is KeptField {
  return field.kept !== 'both';
}

function itemOf(
  { id: conflictId, fields: disputed, outcome }: Past,
  field: DisputableField,
  all: readonly DisputableField[],
  policy: PreviewedPolicy,
): PreviewItem {
  const group = all.filter(({ column, group: of }) => column === field.column || (of && of === field.group));
  const columns = group.map(({ column }) => column).filter((column) => column in disputed);
  return {
    conflictId,
    field: field.property,
    was: outcome === 'policy' ? 'policy' : 'review',
    wouldBe: policy === 'review' ? 'review' : 'policy',
    wouldKeep: policy === 'latest' ? laterSide(disputed, columns) : 'central',
  };
}

/** As the merge itself decides: the later change of a value, and of two at the same instant that of the later name. */
function laterSide(disputed: DisputedFields, columns: readonly string[]): PreviewItem['wouldKeep'] {
  const lastOf = (side: 'regional' | 'central') =>
    Math.max(...columns.map((column) => Date.parse(disputed[column]![side].at)));
  const [regional, central] = [lastOf('regional'), lastOf('central')];
  if (regional !== central) return regional > central ? 'regional' : 'central';
  const { regional: one, central: other } = disputed[columns[0]!]!;
  return one.node > other.node ? 'regional' : 'central';
}

function countOf(items: readonly PreviewItem[], when: 'was' | 'wouldBe') {
  const review = items.filter((item) => item[when] === 'review').length;
  return { review, policy: items.length - review };
}
