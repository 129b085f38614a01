/** A class decorated with TypeORM's `@Entity`. */
export type EntityClass<E extends object = object> = new (...args: never[]) => E;

/**
 * Says which connection serves an entity. The semantics are those of Django's database routers:
 * routers are asked in order, each may answer or leave the question (`undefined`) to the next, and
 * the first answer wins. Without an answer, reads and writes go to `default`, a relation is allowed
 * when both entities are written on the same connection, and a migration is allowed.
 *
 * A module contributes its router with `RoutingModule.forFeature`; see docs/routing.md.
 */
export interface ConnectionRouter {
  /** The connection to read `entity` from. */
  forRead?(entity: EntityClass): string | undefined;
  /** The connection to write `entity` to. */
  forWrite?(entity: EntityClass): string | undefined;
  /** Whether a relation may join the two entities. */
  allowRelation?(from: EntityClass, to: EntityClass): boolean | undefined;
  /** Whether the table of `entity` may exist on, and its migrations run on, `connection`. */
  allowMigrate?(connection: string, entity: EntityClass): boolean | undefined;
}

/** What a router is told of the node it serves on. */
export interface RoutedNode {
  /** The connection of the node's own database: `regionale`, or `default` on a central node. */
  readonly home: string;
}

export type ConnectionRouterClass = new (node: RoutedNode) => ConnectionRouter;
