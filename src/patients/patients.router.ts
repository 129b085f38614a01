import type { ConnectionRouter, EntityClass, RoutedNode } from '../routing/connection-router.js';
import { Patient } from './patient.entity.js';

const ENTITIES: readonly EntityClass[] = [Patient];

/** Every operation of the patients module goes to the node's own database. */
export class PatientsRouter implements ConnectionRouter {
  constructor(private readonly node: RoutedNode) {}

  forRead(entity: EntityClass): string | undefined {
    return ENTITIES.includes(entity) ? this.node.home : undefined;
  }

  forWrite(entity: EntityClass): string | undefined {
    return ENTITIES.includes(entity) ? this.node.home : undefined;
  }

  /** The central copy's table is there too: replication writes it, and nobody else does. */
  allowMigrate(connection: string, entity: EntityClass): boolean | undefined {
    return ENTITIES.includes(entity) && connection === this.node.home ? true : undefined;
  }
}
