import { Problem } from '../../http/problem.js';
import type { Principal } from '../principal.js';
import type { Role } from '../roles.js';

/** Whether `caller` may know of an account of `region`. National callers know of all. */
export function maySee(caller: Principal, { region }: { region: string | null }): boolean {
  return caller.region === null || caller.region === region;
}

/**
 * The region that an account with `role` gets. `wanted`: what was asked for, `undefined` for nothing.
 * `nodeRegion`: the region that this node serves, `undefined` at central. Throws a 422 {@link Problem}.
 */
export function regionFor(
  role: Role,
  wanted: string | null | undefined,
  caller: Principal,
  nodeRegion: string | undefined,
): string | null {
  if (role === 'admin_national') return null;
  if (wanted === undefined && role === 'auditeur') return caller.region;
  const region = wanted === undefined ? (caller.region ?? nodeRegion) : wanted;
  if (role === 'auditeur') return region ?? null;
  if (region === null || region === undefined) throw regionRequired(role);
  return region;
}

/** A regional administrator makes and keeps accounts of their own region only. Throws a 403 {@link Problem}. */
export function refuseBeyondRegion(caller: Principal, { region }: { region: string | null }): void {
  if (maySee(caller, { region })) return;
  throw new Problem(403, 'beyond-region', 'Only accounts of your own region are yours to manage', {
    detail: 'National roles and other regions are for a national administrator.',
  });
}

function regionRequired(role: Role): Problem {
  return new Problem(422, 'invalid-input', 'Some values cannot be accepted', {
    errors: [{ path: 'region', message: `is required for the role ${role}` }],
  });
}
