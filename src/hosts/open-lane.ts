import type { EntityManager } from 'typeorm';

/**
 * A relay that applies a large batch may hold what is asked for here, and everybody else would queue up behind
 * whoever waits for it.
 */
const OPEN = `SELECT set_config('lock_timeout', '4s', true), hosts_open_homes(ARRAY[$1]::uuid[])`;
const LOCK = 'SELECT FROM hosts WHERE patient_id = $1 ORDER BY patient_id, region FOR UPDATE';

/**
 * What a transaction at central begins with when it changes a patient or adds a host: from here on, no relay
 * applies anything of this patient until it ends, and every host is sent what it does. The patient's home becomes
 * a host by it.
 */
export async function openLane(manager: EntityManager, patientId: string): Promise<void> {
  await manager.query(OPEN, [patientId]);
  await manager.query(LOCK, [patientId]);
}
