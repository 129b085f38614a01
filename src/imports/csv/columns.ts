import { PATIENT_FIELDS } from '../../patients/patient.dto.js';

/** What a CSV file may say beside the patient's own fields: what the patient is called where they come from. */
export const SOURCE_COLUMNS = ['sourceSystem', 'sourceId'] as const;

const PARTS: Readonly<Record<string, readonly string[]>> = {
  address: ['line', 'city', 'district', 'postalCode', 'country'],
  location: ['latitude', 'longitude'],
  emergencyContact: ['name', 'phone', 'relationship'],
};
const LISTS = ['allergies', 'chronicConditions'];
const NUMBERS = ['location.latitude', 'location.longitude'];
const REQUIRED = ['familyName', 'givenNames', 'birthDate', 'sex'];

/** Every column that is read: the fields of the API, `address.city` for the parts of one. */
export const COLUMNS: readonly string[] = [
  ...PATIENT_FIELDS.flatMap((field) => PARTS[field]?.map((part) => `${field}.${part}`) ?? [field]),
  ...SOURCE_COLUMNS,
];

/**
 * What is wrong with a header; empty when it can be used. A name that is not known is told by its place:
 * in a file without a header it would be a patient's.
 */
export function headerProblems(header: readonly string[]): string[] {
  const unknown = header.flatMap((name, at) =>
    COLUMNS.includes(name) ? [] : [`column ${at + 1} is not one of the known names`],
  );
  const twice = header.flatMap((name, at) =>
    COLUMNS.includes(name) && header.indexOf(name) < at ? [`"${name}" is there more than once`] : [],
  );
  const missing = REQUIRED.flatMap((name) => (header.includes(name) ? [] : [`"${name}" is missing`]));
  return [...unknown, ...twice, ...missing];
}

/** A row's cells as the API's fields. An empty cell says nothing. */
export function fieldsOfRow(header: readonly string[], cells: readonly string[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  header.forEach((name, at) => {
    const cell = cells[at]?.trim() ?? '';
    if (cell === '') return;
    const [field, part] = name.split('.') as [string, string | undefined];
    if (part === undefined) fields[field] = valueOf(name, cell);
    else fields[field] = { ...(fields[field] as object | undefined), [part]: valueOf(name, cell) };
  });
  return fields;
}

function valueOf(name: string, cell: string): unknown {
  if (LISTS.includes(name)) return [...new Set(cell.split('|').flatMap((item) => item.trim() || []))];
  // What is no number stays a text, for the rules to refuse.
  if (NUMBERS.includes(name)) return Number.isFinite(Number(cell)) ? Number(cell) : cell;
  return cell;
}
