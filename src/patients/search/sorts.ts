import type { CursorType } from '../../http/page.js';
import { DISTANCE_KM } from './near.js';

/** One expression that orders a list, and how the cursor's text becomes its value again. */
export interface SortKey {
  readonly expression: string;
  readonly type: CursorType;
}

export interface Sort {
  readonly name: string;
  /** The last key is the id, so no two patients are equal. */
  readonly keys: readonly SortKey[];
  readonly descending: boolean;
}

const ID: SortKey = { expression: 'p.id', type: 'uuid' };
/** The family name and, behind two spaces, the given ones, in the form of `name_form`. */
export const NAME_ORDER = 'patient_name_order(p.family_name, p.given_names) COLLATE "C"';

const KEYS: Readonly<Record<string, readonly SortKey[]>> = {
  // A UUIDv7 begins with the time of creation, and its index is there anyway.
  createdAt: [ID],
  updatedAt: [{ expression: 'p.updated_at', type: 'timestamptz' }, ID],
  familyName: [{ expression: NAME_ORDER, type: 'text' }, ID],
  birthDate: [{ expression: 'p.birth_date', type: 'date' }, ID],
};
const DISTANCE: readonly SortKey[] = [{ expression: DISTANCE_KM, type: 'float8' }, ID];

export const SORT_NAMES = [...Object.keys(KEYS).flatMap((key) => [key, `-${key}`]), 'relevance', 'distance'];

/** What a list can be sorted by beside its columns. */
export interface Sortable {
  /** An SQL expression that is greater for better matches; absent without `q`. */
  readonly relevance?: string;
  readonly near: boolean;
}

/** The order that `wanted`, one of {@link SORT_NAMES}, asks for, or the most useful one. */
export function sortOf(wanted: string | undefined, { relevance, near }: Sortable): Sort {
  const chosen = wanted ?? (relevance ? 'relevance' : near ? 'distance' : '-createdAt');
  if (chosen === 'relevance' && relevance) {
    return { name: chosen, keys: [{ expression: relevance, type: 'integer' }, ID], descending: true };
  }
  if (chosen === 'distance' && near) return { name: chosen, keys: DISTANCE, descending: false };
  const descending = chosen.startsWith('-');
  const keys = KEYS[descending ? chosen.slice(1) : chosen];
  if (!keys) throw new Error('The list cannot be sorted like that: its query was not validated');
  return { name: chosen, keys, descending };
}
