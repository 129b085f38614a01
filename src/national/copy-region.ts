import type { EntityManager } from 'typeorm';
import type { Principal } from '../accounts/principal.js';
import { Problem } from '../http/problem.js';
import { Region } from '../regions/region.entity.js';

/**
 * The region that gets a copy: the caller's own, for national callers the one that they name, or else the node's
 * (`undefined` at central). Throws a {@link Problem}: 403 when a regional caller names another, 422 when a national
 * one has to name one.
 */
export function copyRegion(
  { region: own }: Pick<Principal, 'region'>,
  wanted: string | undefined,
  nodeRegion: string | undefined,
): string {
  if (own !== null && wanted !== undefined && wanted !== own) throw beyondRegion();
  const region = own ?? wanted ?? nodeRegion;
  if (region === undefined) throw unacceptable('is required on a central node');
  return region;
}

/**
 * Throws a {@link Problem} when `region` gets no copies: 422 when the caller has named it, and 409 when it is their
 * own, which may still be unknown at central as long as it is new.
 */
export async function refuseUnusableRegion(
  manager: EntityManager,
  region: string,
  isNamed: boolean,
): Promise<void> {
  const known = await manager.findOneBy(Region, { code: region });
  if (known?.enabled || (!known && !isNamed)) return;
  if (isNamed) throw unacceptable(known ? 'is a region that is not enabled' : 'is not a region');
  throw new Problem(409, 'region-disabled', 'Your region is not enabled at central', {
    detail: 'A national administrator has stopped its exchange: no copy would arrive.',
  });
}

function beyondRegion(): Problem {
  return new Problem(403, 'beyond-region', 'You bring copies to your own region only', {
    errors: [{ path: 'region', message: 'is not yours to choose' }],
  });
}

function unacceptable(message: string): Problem {
  return new Problem(422, 'invalid-input', 'Some values cannot be accepted', {
    errors: [{ path: 'region', message }],
  });
}
