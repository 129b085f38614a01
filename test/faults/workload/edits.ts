import type { Random } from '../random.js';

/** One change of a patient: as the API is told, and as the columns then are. Both hold the id of the write. */
export interface Edit {
  readonly body: Record<string, unknown>;
  readonly sets: Record<string, unknown>;
}

type Field =
  'notes' | 'familyName' | 'usedName' | 'birthPlace' | 'nationalId' | 'phone' | 'address' | 'allergies';

const COLUMNS: Readonly<Record<Field, string>> = {
  notes: 'notes',
  familyName: 'family_name',
  usedName: 'used_name',
  birthPlace: 'birth_place',
  nationalId: 'national_id',
  phone: 'phone',
  address: 'address',
  allergies: 'allergies',
};

const FIELDS = Object.keys(COLUMNS) as Field[];

/** Central refuses every value of `notes` that begins so, once a run has been made to. */
export const POISON = 'poison';

export function editOf(random: Random, id: string, fields = random.some(FIELDS, random.between(1, 3))): Edit {
  const values = fields.map((field) => [field, valueOf(field, id)] as const);
  return {
    body: Object.fromEntries(values),
    sets: Object.fromEntries(values.map(([field, value]) => [COLUMNS[field], value])),
  };
}

export function poisonOf(id: string): Edit {
  const notes = `${POISON} ${id}`;
  return { body: { notes }, sets: { notes } };
}

function valueOf(field: Field, id: string): unknown {
  if (field === 'phone') return `+22177${String(numberOf(id)).padStart(7, '0')}`;
  if (field === 'address') return { line: id, city: 'Dakar' };
  if (field === 'allergies') return ['Pénicilline', id];
  return id;
}

const numberOf = (id: string) => Number(id.slice(id.lastIndexOf('-') + 1)) % 10_000_000;
