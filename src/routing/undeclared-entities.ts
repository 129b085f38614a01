import { getMetadataArgsStorage } from 'typeorm';
import type { RoutedFeature } from './feature.js';
import { RoutingError } from './routing-table.js';

/**
 * An entity that no module declares has no connection: it would only fail when it is first used.
 * @throws {RoutingError} that names each
 */
export function refuseUndeclaredEntities(features: readonly RoutedFeature[]): void {
  const declared = new Set<unknown>(features.flatMap(({ entities }) => entities));
  const undeclared = getMetadataArgsStorage().tables.flatMap(({ target, type }) =>
    typeof target === 'function' && type === 'regular' && !declared.has(target) ? [target.name] : [],
  );
  if (undeclared.length === 0) return;
  throw new RoutingError(
    undeclared.map(
      (name) => `${name} has no connection: add it to the entities of its module's RoutingModule.forFeature.`,
    ),
  );
}
