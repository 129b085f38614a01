import type { EntityManager } from 'typeorm';
import { Conflict } from '../../src/conflicts/conflict.entity.js';
import { restoreRecord } from '../../src/conflicts/decisions/restore-record.js';
import { openLane } from '../../src/hosts/open-lane.js';
import { Patient } from '../../src/patients/patient.entity.js';
import type { Random } from '../faults/random.js';
import { seen, type Seen } from './ledger.js';
import { inTransaction, lockedPatient, rowOf, savePatient } from './people.js';
import { UNITS, type Unit } from './values.js';
import type { ConvergenceNode } from './world.js';

interface Chosen {
  readonly id: string;
  readonly patient_id: string;
}

/**
 * Somebody at a node decides an open conflict, or opens a decided one again, as the application does it: the record
 * and the conflict in one transaction. Gives what was changed of the patient.
 */
export async function decideSomething(
  node: ConvergenceNode,
  patients: readonly string[],
  random: Random,
  newMedicalId: string,
): Promise<Seen[]> {
  const wanted = random.chance(0.8) ? 'open' : 'resolved';
  const { rows } = await node.look.query<Chosen>(
    'SELECT id, patient_id FROM conflicts WHERE patient_id = ANY($1) AND state = $2 ORDER BY created_at, id',
    [patients, wanted],
  );
  if (rows.length === 0) return [];
  const { id, patient_id: patientId } = random.pick(rows);
  return inTransaction(node, async (manager) => {
    if (node.code === 'central') await openLane(manager, patientId);
    const patient = await lockedPatient(manager, patientId);
    const conflict = await manager.findOne(Conflict, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (conflict?.state !== wanted) return [];
    const before = await rowOf(manager, patientId);
    if (wanted === 'open') await decide(manager, conflict, patient, random, newMedicalId);
    await saveConflict(manager, conflict, wanted === 'open' ? 'resolved' : 'open', node.code);
    return [seen(patientId, before, await rowOf(manager, patientId))];
  });
}

async function decide(
  manager: EntityManager,
  conflict: Conflict,
  patient: Patient | null,
  random: Random,
  newMedicalId: string,
): Promise<void> {
  if (conflict.kind === 'removal') return decideRemoval(manager, conflict, patient, random);
  if (!patient) return;
  if (conflict.kind === 'identity') return savePatient(manager, patient, { medicalId: newMedicalId });
  const taken = unitsOf(conflict).map((unit) => valuesOf(manager, conflict, unit, random));
  await savePatient(manager, patient, Object.assign({}, ...taken) as Partial<Patient>);
}

function unitsOf({ fields }: Conflict): Unit[] {
  const columns = Object.keys(fields);
  return (Object.keys(UNITS) as Unit[]).filter((unit) =>
    UNITS[unit].every((column) => columns.includes(column)),
  );
}

function valuesOf(
  manager: EntityManager,
  { fields }: Conflict,
  unit: Unit,
  random: Random,
): Partial<Patient> {
  const side = random.pick(['regional', 'central'] as const);
  const metadata = manager.dataSource.getMetadata(Patient);
  const entries = UNITS[unit].map((column) => [
    metadata.findColumnWithDatabaseName(column)!.propertyName,
    fields[column]![side].value,
  ]);
  return Object.fromEntries(entries) as Partial<Patient>;
}

/** Removes for good, keeps, or brings back what is gone. */
async function decideRemoval(
  manager: EntityManager,
  { patientId }: Conflict,
  patient: Patient | null,
  random: Random,
): Promise<void> {
  if (random.chance(0.5)) {
    if (patient) await manager.remove(patient);
    return;
  }
  if (patient) return;
  const [removed] = await manager.query<unknown[]>(
    `SELECT FROM journal WHERE patient_id = $1 AND entity_id = $1 AND op = 'remove' LIMIT 1`,
    [patientId],
  );
  if (!removed) return;
  const table = { entity: Patient, metadata: manager.dataSource.getMetadata(Patient) };
  await restoreRecord(manager, table, { patientId, entityId: patientId }, { actor: 'test' });
}

async function saveConflict(
  manager: EntityManager,
  conflict: Conflict,
  state: 'open' | 'resolved',
  node: string,
): Promise<void> {
  const by = state === 'resolved' ? `someone at ${node}` : null;
  Object.assign(conflict, {
    state,
    outcome: by && 'person',
    decisions: by && {},
    reason: `${state} at ${node}`,
    decidedBy: by,
    decidedByName: by,
    decidedNode: by && node,
    decidedAt: by && new Date(),
    version: conflict.version + 1,
    updatedAt: new Date(),
    updatedBy: 'test',
  });
  await manager.save(conflict);
}
