import type { CursorType } from '../http/page.js';
import type { ConflictSort } from './conflict-query.dto.js';

/** How a list of conflicts is ordered. The last key is the id, so no two are equal. */
export interface ConflictOrder {
  readonly name: ConflictSort;
  readonly keys: readonly { readonly expression: string; readonly type: CursorType }[];
  readonly descending: boolean;
}

const OLDEST: ConflictOrder['keys'] = [
  { expression: 'c.created_at', type: 'timestamptz' },
  { expression: 'c.id', type: 'uuid' },
];

/** The expressions of the index `conflicts_worst`. */
const WORST: ConflictOrder['keys'] = [
  { expression: `CASE c.state WHEN 'open' THEN 0 ELSE 1 END`, type: 'integer' },
  { expression: `CASE c.severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 ELSE 2 END`, type: 'integer' },
  ...OLDEST,
];

export function sortOf(wanted: ConflictSort = 'worst'): ConflictOrder {
  return { name: wanted, keys: wanted === 'worst' ? WORST : OLDEST, descending: wanted === '-createdAt' };
}
