import type { EntityClass } from '../routing/connection-router.js';

/** How changes to an entity travel. */
export interface Replication {
  /**
   * The property that holds the id of the patient to whom the record belongs: its compartment and
   * its lane. `null`: the record belongs to everyone (regions, reference data).
   */
  readonly compartment: string | null;
  /** The version of the entity's shape. Raise it with each migration that changes a column. */
  readonly schema: number;
}

const replications = new Map<EntityClass, Replication>();

/** Marks an entity whose every change is journaled and travels to the other databases. */
export function Replicated(replication: Replication) {
  return (entity: EntityClass): void => {
    replications.set(entity, replication);
  };
}

/** How `entity` is replicated; `undefined` when it is not. */
export function replicationOf(entity: unknown): Replication | undefined {
  return replications.get(entity as EntityClass);
}
