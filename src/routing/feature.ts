import type { MigrationInterface } from 'typeorm';
import type { ConnectionRouterClass, EntityClass } from './connection-router.js';

/** What a module contributes to the databases. */
export interface RoutedFeature {
  readonly entities: readonly EntityClass[];
  readonly router?: ConnectionRouterClass;
  /** Routers with a lower number are asked first; equal numbers in order of import. Default 0. */
  readonly order?: number;
  /** Migrations of the module's own tables, run on every connection that its router allows. */
  readonly migrations?: readonly (new () => MigrationInterface)[];
}

const features = new Set<RoutedFeature>();

/**
 * Remembers a feature. Called while modules are imported, before any connection opens, so that the
 * application and the TypeORM command line see the same entities without a list that someone must
 * keep (the way `@nestjs/typeorm` collects entities for `autoLoadEntities`).
 */
export function registerFeature(feature: RoutedFeature): void {
  features.add(feature);
}

/** Every registered feature, in the order in which its router is asked. */
export function registeredFeatures(): readonly RoutedFeature[] {
  return [...features].sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
}
