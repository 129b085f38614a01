import type { Conflict } from '../conflict.entity.js';
import { REMOVAL } from '../conflict-view.js';
import type { DisputableField } from '../disputable.js';
import type { SideName } from '../decisions/choices.js';

/** What became of the values that one account had set. */
export interface Overruled {
  /** Properties, or {@link REMOVAL}. */
  readonly fields: readonly string[];
  /** Who had set what is kept in their place: names, where known. */
  readonly keptValueBy: string | null;
}

const OTHER = { regional: 'central', central: 'regional' } as const;

/**
 * Of which of the `visible` fields `account` had set a value that is not in force. The same rule as the database's
 * `conflict_overruled`, field by field.
 */
export function overruledOf(
  conflict: Conflict,
  visible: readonly DisputableField[],
  account: string,
): Overruled {
  const lost = visible.flatMap((field) => {
    const sides = lostSides(conflict, field.column).filter(
      (side) => conflict.fields[field.column]![side].actor === account,
    );
    return sides.length > 0 ? [{ field, side: sides[0]! }] : [];
  });
  const isRemoval = conflict.kind === 'removal';
  const names = lost.map(({ field }) => field.property);
  const keepers = lost.map(({ field, side }) => keeperOf(conflict, field.column, side));
  return {
    fields: isRemoval && lost.length > 0 ? [REMOVAL] : names,
    keptValueBy: [...new Set(keepers)].filter((name) => name !== null).join(', ') || null,
  };
}

/** What is in force of a column: a side's value, both, or that of who decided. */
function inForce({ fields, decisions }: Conflict, column: string): SideName | 'both' | 'neither' {
  const decision = decisions?.[column] ?? decisions?.[REMOVAL];
  if (!decision) return fields[column]!.kept;
  return 'take' in decision ? decision.take : 'neither';
}

/** Of two records with one medical id, the conflict's own is the one that a decision changes. */
function lostSides(conflict: Conflict, column: string): SideName[] {
  const kept = inForce(conflict, column);
  const sides: readonly SideName[] = conflict.kind === 'identity' ? ['regional'] : ['regional', 'central'];
  return kept === 'both' ? [] : sides.filter((side) => side !== kept);
}

function keeperOf(conflict: Conflict, column: string, lost: SideName): string | null {
  if (inForce(conflict, column) === 'neither') return conflict.decidedByName;
  const { actor, actorName } = conflict.fields[column]![OTHER[lost]];
  return actorName ?? actor;
}
