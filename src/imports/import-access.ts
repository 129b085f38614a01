import type { Principal } from '../accounts/principal.js';
import type { Config } from '../config/config.js';
import { Problem } from '../http/problem.js';

/** Whether `caller` may know of the imports of this node: they are about the patients of its region. */
export function maySeeImports(
  { region }: Pick<Principal, 'region'>,
  config: Pick<Config, 'region'>,
): boolean {
  return region === null || region === config.region;
}

/** Throws a {@link Problem}: 403 for another region's administrator, 409 at central, which has no region. */
export function refuseImport(caller: Principal, config: Pick<Config, 'region' | 'mode'>): void {
  if (!maySeeImports(caller, config))
    throw new Problem(403, 'beyond-region', 'Patients are imported by an administrator of their own region');
  if (config.mode === 'central')
    throw new Problem(409, 'no-region', 'Central has no patients of its own', {
      detail: 'Import on the node of the region that the patients belong to.',
    });
}
