import type { ConnectionRouterClass, EntityClass } from './connection-router.js';

/**
 * A router for entities that every node reads and writes in its own database, and whose tables are on both
 * connections, because replication keeps central's copy.
 */
export function servedAtHome(...entities: EntityClass[]): ConnectionRouterClass {
  return class {
    constructor(private readonly node: { readonly home: string }) {}

    forRead(entity: EntityClass): string | undefined {
      return entities.includes(entity) ? this.node.home : undefined;
    }

    forWrite(entity: EntityClass): string | undefined {
      return entities.includes(entity) ? this.node.home : undefined;
    }
  };
}
