import type { EntityManager } from 'typeorm';
import { Host } from '../../src/hosts/host.entity.js';
import { openLane } from '../../src/hosts/open-lane.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { attachChangeContext } from '../../src/routing/change-context.js';
import { seen, type Seen } from './ledger.js';
import type { Row } from './values.js';
import type { ConvergenceNode } from './world.js';

/** Who decides what becomes of what is in quarantine. */
export const JUDGE = 'judge';

/** What somebody wants of one patient. */
export type Wish =
  | { readonly kind: 'create'; readonly patient: Patient }
  | { readonly kind: 'edit'; readonly patientId: string; readonly fields: Partial<Patient> }
  | { readonly kind: 'remove'; readonly patientId: string };

/** One transaction of the application at a node. Gives what it changed; nothing of what was not there. */
export function transact(node: ConvergenceNode, wishes: readonly Wish[]): Promise<Seen[]> {
  return inTransaction(node, async (manager) => {
    for (const wish of node.code === 'central' ? inOrder(wishes) : [])
      if (wish.kind !== 'create') await openLane(manager, wish.patientId);
    const all: Seen[] = [];
    for (const wish of inOrder(wishes)) all.push(...(await fulfil(manager, wish)));
    return all;
  });
}

export function inTransaction<T>(
  { source, code }: ConvergenceNode,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  return source.transaction((manager) => {
    attachChangeContext(manager.queryRunner!, { actor: `someone at ${code}`, role: 'medecin' });
    return work(manager);
  });
}

/** Makes a region a host of a patient, as central does. False when the patient is not at central now. */
export function copyTo(
  region: string,
  patientId: string,
  central: ConvergenceNode,
  isUnseen = false,
): Promise<boolean> {
  return inTransaction(central, async (manager) => {
    if (!isUnseen) await openLane(manager, patientId);
    if (!(await manager.existsBy(Patient, { id: patientId }))) return false;
    if (await manager.existsBy(Host, { patientId, region })) return false;
    const id = crypto.randomUUID();
    const createdAt = new Date();
    await manager.insert(Host, { id, patientId, region, kind: 'copy', createdAt, createdBy: 'test' });
    return true;
  });
}

/** Everybody locks rows in one order. */
function inOrder(wishes: readonly Wish[]): Wish[] {
  const idOf = (wish: Wish) => (wish.kind === 'create' ? wish.patient.id : wish.patientId);
  return wishes.toSorted((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
}

async function fulfil(manager: EntityManager, wish: Wish): Promise<Seen[]> {
  if (wish.kind === 'create') {
    await manager.insert(Patient, wish.patient);
    const { id } = wish.patient;
    return [seen(id, undefined, await rowOf(manager, id))];
  }
  const { patientId } = wish;
  const patient = await lockedPatient(manager, patientId);
  if (!patient) return [];
  const before = await rowOf(manager, patientId);
  if (wish.kind === 'remove') await manager.remove(patient);
  else await savePatient(manager, patient, wish.fields);
  return [seen(patientId, before, await rowOf(manager, patientId))];
}

export function lockedPatient(manager: EntityManager, id: string): Promise<Patient | null> {
  return manager.findOne(Patient, { where: { id }, lock: { mode: 'pessimistic_write' } });
}

/** As the application saves: one version more, by the node's clock. */
export async function savePatient(
  manager: EntityManager,
  patient: Patient,
  fields: Partial<Patient>,
): Promise<void> {
  const [{ now }] = await manager.query<[{ now: Date }]>('SELECT clock_timestamp() AS now');
  Object.assign(patient, fields, { version: patient.version + 1, updatedAt: now });
  await manager.save(patient);
}

export async function rowOf(manager: EntityManager, id: string): Promise<Row | undefined> {
  const rows = await manager.query<{ row: Row }[]>(
    'SELECT to_jsonb(p) AS row FROM patients p WHERE id = $1',
    [id],
  );
  return rows[0]?.row;
}

export function aPatient(fields: Partial<Patient>, region: string, id: string): Patient {
  const now = new Date();
  const nothing = {
    usedName: null,
    birthPlace: null,
    nationalId: null,
    phone: null,
    email: null,
    address: null,
    location: null,
    bloodGroup: null,
    emergencyContact: null,
    deceasedAt: null,
    notes: null,
  };
  const made = { version: 1, createdAt: now, updatedAt: now, createdBy: 'test', updatedBy: 'test' };
  return Object.assign(new Patient(), nothing, fields, made, { id, region });
}
