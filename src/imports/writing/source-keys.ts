import type { EntityManager } from 'typeorm';
import type { SourceKey } from '../import-line.js';

/** Patient ids by source key. */
export type Owners = Map<string, string>;

/** A key as one text. */
export function keyText({ system, value }: SourceKey): string {
  return JSON.stringify([system, value]);
}

/** Who the keys stand for, as far as they were imported before. */
export async function findOwners(manager: EntityManager, keys: readonly SourceKey[]): Promise<Owners> {
  const rows = await manager.query<(SourceKey & { patient_id: string })[]>(
    `SELECT s.system, s.value, s.patient_id
     FROM unnest($1::text[], $2::text[]) AS wanted(system, value)
     JOIN import_sources s ON s.system = wanted.system AND s.value = wanted.value`,
    columns(keys),
  );
  return new Map(rows.map((row) => [keyText(row), row.patient_id]));
}

/** Remembers whom the keys stand for. */
export async function addOwners(
  manager: EntityManager,
  added: readonly (SourceKey & { patientId: string })[],
): Promise<void> {
  if (added.length === 0) return;
  await manager.query(
    `INSERT INTO import_sources (system, value, patient_id)
     SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[])`,
    [...columns(added), added.map(({ patientId }) => patientId)],
  );
}

function columns(keys: readonly SourceKey[]): [string[], string[]] {
  return [keys.map(({ system }) => system), keys.map(({ value }) => value)];
}
