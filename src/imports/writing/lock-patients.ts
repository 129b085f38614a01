import { type EntityManager, In } from 'typeorm';
import { Patient } from '../../patients/patient.entity.js';

/** The patients of `ids` that exist, by id, locked until the transaction ends. */
export async function lockPatients(
  manager: EntityManager,
  ids: readonly string[],
): Promise<Map<string, Patient>> {
  if (ids.length === 0) return new Map();
  const patients = await manager.find(Patient, {
    where: { id: In([...new Set(ids)]) },
    // In one order, so that two transactions cannot lock the same rows crosswise.
    order: { id: 'ASC' },
    lock: { mode: 'pessimistic_write' },
  });
  return new Map(patients.map((patient) => [patient.id, patient]));
}
