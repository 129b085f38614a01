import type { ConnectionRouter, EntityClass, RoutedNode } from '../routing/connection-router.js';
import { ImportFinding } from './import-finding.entity.js';
import { ImportRun } from './import-run.entity.js';
import { ImportSource } from './import-source.entity.js';

export const IMPORT_ENTITIES: readonly EntityClass[] = [ImportRun, ImportFinding, ImportSource];

/** Imports belong to the node: they run while central is away. */
export class ImportsRouter implements ConnectionRouter {
  constructor(private readonly node: RoutedNode) {}

  forRead(entity: EntityClass): string | undefined {
    return IMPORT_ENTITIES.includes(entity) ? this.node.home : undefined;
  }

  forWrite(entity: EntityClass): string | undefined {
    return IMPORT_ENTITIES.includes(entity) ? this.node.home : undefined;
  }

  allowMigrate(connection: string, entity: EntityClass): boolean | undefined {
    return IMPORT_ENTITIES.includes(entity) ? connection === this.node.home : undefined;
  }
}
