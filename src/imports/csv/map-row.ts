import { createHash } from 'node:crypto';
import type { FieldError } from '../../http/problem.js';
import { toE164 } from '../../patients/fields/phone.js';
import { partialDate } from '../fhir/partial-date.js';
import type { SourceKey } from '../import-line.js';
import { fieldsOfRow } from './columns.js';

export interface MappedRow {
  readonly keys: readonly [SourceKey];
  readonly fields: Readonly<Record<string, unknown>>;
  readonly warnings: readonly FieldError[];
}

/** A row in the API's fields, not checked yet. `source` names the sender where the row does not. */
export function mapRow(header: readonly string[], cells: readonly string[], source: string): MappedRow {
  const { sourceSystem, sourceId, ...fields } = fieldsOfRow(header, cells);
  const warnings: FieldError[] = [];
  return {
    keys: [keyOf({ sourceSystem, sourceId, fields, source })],
    fields: { ...fields, ...birth(fields), phone: phone(fields, warnings) },
    warnings,
  };
}

interface RowIdentity {
  readonly sourceSystem: unknown;
  readonly sourceId: unknown;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly source: string;
}

/** Without an id of its own a row is known by its medical id, and without that by all that it says. */
function keyOf({ sourceSystem, sourceId, fields, source }: RowIdentity): SourceKey {
  const system = typeof sourceSystem === 'string' ? sourceSystem : source;
  if (typeof sourceId === 'string') return { system, value: sourceId };
  const { medicalId } = fields;
  if (typeof medicalId === 'string') return { system: `${system}:medicalId`, value: medicalId };
  const content = JSON.stringify(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { system: `${system}:row`, value: createHash('sha256').update(content).digest('base64url') };
}

function birth({ birthDate, birthDatePrecision }: Readonly<Record<string, unknown>>): object {
  if (typeof birthDate !== 'string') return {};
  const read = partialDate(birthDate);
  return { ...read, birthDatePrecision: birthDatePrecision ?? read.birthDatePrecision };
}

function phone(fields: Readonly<Record<string, unknown>>, warnings: FieldError[]): string | undefined {
  if (typeof fields['phone'] !== 'string') return undefined;
  const { country } = (fields['address'] ?? {}) as { country?: string };
  const international = toE164(fields['phone'], country);
  if (international === undefined)
    warnings.push({ path: 'phone', message: 'could not be understood; it was left out' });
  return international;
}
