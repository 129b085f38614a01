import type { EntityManager } from 'typeorm';
import { openLane } from '../hosts/open-lane.js';
import { patientNotFound } from '../patients/patient-access.js';
import { Patient } from '../patients/patient.entity.js';

/**
 * A patient of any region, locked at central until the transaction of `manager` ends: the lane first, as relays do.
 * Throws a 404 Problem.
 */
export async function lockedPatient(manager: EntityManager, id: string): Promise<Patient> {
  // Opening a lane stops every relay for a moment: nobody does that with ids that are made up.
  if (!(await manager.existsBy(Patient, { id }))) throw patientNotFound();
  await openLane(manager, id);
  const patient = await manager.findOne(Patient, { where: { id }, lock: { mode: 'pessimistic_write' } });
  if (!patient) throw patientNotFound();
  return patient;
}
