import type { EntityClass } from '../routing/connection-router.js';

/**
 * What happens when two nodes have changed a column without knowing of each other.
 *
 * - `review`: central's value stays, and a person decides. For identity and clinical data.
 * - `latest`: the later change wins; the other value is kept in a conflict that is already resolved, and can be
 *   reopened. For contact data.
 * - `central`: central's value stays, and nothing is recorded. For records that only central makes.
 * - `fixed`: never changes after the insert.
 * - `version`: counts changes; a merge is one more.
 * - `stamp`: says who changed the record last, and when; follows the later change.
 */
export type MergePolicy = 'review' | 'latest' | 'central' | 'fixed' | 'version' | 'stamp';

export interface MergeRule {
  readonly policy: MergePolicy;
  /**
   * Columns with the same group are one value: none is taken from one side and another from the other, and journal
   * entries tell them together. A migration tells the same groups to `journal_capture`.
   */
  readonly group?: string;
  /** A wrong value may harm the patient: a conflict about it comes first. */
  readonly clinical?: boolean;
  /** No two records may have the same value. Two regions may still give it while apart: that is an identity conflict. */
  readonly unique?: boolean;
  /** What the column is when two nodes have set its group apart, and neither may have the last word. */
  readonly undecided?: unknown;
  /** Whether two values, as JSON has them, mean the same. Default: {@link sameText}. */
  readonly same?: (one: unknown, other: unknown) => boolean;
}

const rules = new Map<unknown, Map<string, MergeRule>>();

/** Says how a column of a replicated entity is merged. A stored column without it is refused at start. */
export function Merge(policy: MergePolicy, options: Omit<MergeRule, 'policy'> = {}): PropertyDecorator {
  return (prototype, property) => {
    const entity = prototype.constructor;
    const ofEntity = rules.get(entity) ?? new Map<string, MergeRule>();
    rules.set(entity, ofEntity.set(String(property), { policy, ...options }));
  };
}

/** The rule of a property of `entity`, or of a class that it extends. */
export function mergeRuleOf(entity: EntityClass, property: string): MergeRule | undefined {
  for (let owner: unknown = entity; typeof owner === 'function'; owner = Object.getPrototypeOf(owner)) {
    const rule = rules.get(owner)?.get(property);
    if (rule) return rule;
  }
  return undefined;
}

/** The columns of each group. */
export function groupsOf(rules: ReadonlyMap<string, MergeRule>): string[][] {
  const groups = new Set([...rules.values()].flatMap(({ group }) => group ?? []));
  return [...groups].map((name) =>
    [...rules].flatMap(([column, { group }]) => (group === name ? column : [])),
  );
}
