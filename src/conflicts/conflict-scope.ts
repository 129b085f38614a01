import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import type { Principal } from '../accounts/principal.js';
import { isAllowed } from '../accounts/roles.js';
import { isKnownIn } from '../hosts/known-in-region.js';

/** The patient's row may be gone: who held the file is still known then. */
const PATIENT = { id: 'c.patient_id', home: '(SELECT p.region FROM patients p WHERE p.id = c.patient_id)' };

/**
 * Keeps a query of conflicts `c` to those that `caller` may know of: national roles all, others those of patients
 * that their region knows. Who oversees a region also sees what its changes met.
 */
export function withinScope<E extends ObjectLiteral>(
  conflicts: SelectQueryBuilder<E>,
  { region, role }: Pick<Principal, 'region' | 'role'>,
): SelectQueryBuilder<E> {
  if (region === null) return conflicts;
  const known = isKnownIn(':callerRegion', PATIENT);
  const oversees = isAllowed(role, 'oversight:read');
  return conflicts.andWhere(oversees ? `(c.region = :callerRegion OR ${known})` : known, {
    callerRegion: region,
  });
}
