import type { EntityManager } from 'typeorm';
import { Patient } from '../../patients/patient.entity.js';
import type { AllergyLine } from '../import-line.js';
import type { LineOutcome } from './line-outcome.js';
import { lockPatients } from './lock-patients.js';
import type { Registrar } from './patient-batch.js';
import { findOwners, keyText } from './source-keys.js';

/** As many as a patient's file may list. */
const MOST = 100;

/** Adds one batch of allergies to their patients, in the transaction of `manager`. */
export async function writeAllergies(
  manager: EntityManager,
  lines: readonly AllergyLine[],
  registrar: Pick<Registrar, 'region' | 'actor'>,
): Promise<LineOutcome[]> {
  const owners = await findOwners(
    manager,
    lines.map(({ patient }) => patient),
  );
  const patients = await lockPatients(manager, [...owners.values()]);
  const changed = new Set<Patient>();
  const outcomes = lines.map((line): LineOutcome => {
    const id = owners.get(keyText(line.patient));
    const outcome = add(
      line,
      id === undefined ? 'unknown' : (patients.get(id) ?? 'removed'),
      registrar.region,
    );
    const patient = id === undefined ? undefined : patients.get(id);
    if (patient && outcome.result === 'updated') changed.add(patient);
    return { line, ...outcome };
  });
  const now = new Date();
  for (const patient of changed)
    Object.assign(patient, { version: patient.version + 1, updatedAt: now, updatedBy: registrar.actor });
  if (changed.size > 0) await manager.save(Patient, [...changed], { reload: false });
  return outcomes;
}

function add(
  { text }: AllergyLine,
  patient: Patient | 'unknown' | 'removed',
  region: string,
): Omit<LineOutcome, 'line'> {
  const path = 'patient.reference';
  if (patient === 'unknown')
    return {
      result: 'failed',
      path,
      message: 'is not known here: import that Patient first, with the same source',
    };
  if (patient === 'removed')
    return { result: 'skipped', message: 'A patient who was removed here gets no allergies' };
  if (patient.region !== region)
    return { result: 'failed', path, message: 'the patient belongs to another region' };
  if (patient.allergies.includes(text)) return { result: 'unchanged' };
  if (patient.allergies.length >= MOST)
    return { result: 'failed', path: 'code', message: `the patient's list already has ${MOST} entries` };
  patient.allergies = [...patient.allergies, text];
  return { result: 'updated' };
}
