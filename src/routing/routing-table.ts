import { getMetadataArgsStorage, type MigrationInterface } from 'typeorm';
import type { NodeMode } from '../config/config.js';
import { CENTRAL, connectionsOf, homeConnection, type ConnectionName } from './connection-names.js';
import type { ConnectionRouter, EntityClass } from './connection-router.js';
import type { RoutedFeature } from './feature.js';
import type { FailureCode } from '../observability/failures/failure-codes.js';

/** The routers' answers do not make a usable whole. Each problem says what to change. */
export class RoutingError extends Error {
  readonly code = 'ROUTING_INVALID' satisfies FailureCode;

  constructor(readonly problems: readonly string[]) {
    super(
      `The connection routers cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    );
    this.name = 'RoutingError';
  }
}

interface NamedRouter {
  readonly name: string;
  readonly router: ConnectionRouter;
}

/** The routers of all features, asked in order. Holds no connection and does no I/O. */
export class RoutingTable {
  /** The connection of the node's own database. */
  readonly home: ConnectionName;
  private readonly connections: readonly ConnectionName[];
  private readonly routers: readonly NamedRouter[];

  constructor(
    private readonly features: readonly RoutedFeature[],
    mode: NodeMode,
  ) {
    this.connections = connectionsOf(mode);
    this.home = homeConnection(mode);
    const node = { home: this.home };
    this.routers = features.flatMap(({ router: Router }) =>
      Router ? [{ name: Router.name, router: new Router(node) }] : [],
    );
    const problems = this.problems();
    if (problems.length > 0) throw new RoutingError(problems);
  }

  forRead(entity: EntityClass): ConnectionName {
    return this.connection('forRead', entity);
  }

  forWrite(entity: EntityClass): ConnectionName {
    return this.connection('forWrite', entity);
  }

  allowRelation(from: EntityClass, to: EntityClass): boolean {
    const answer = this.ask(({ router }) => router.allowRelation?.(from, to));
    return answer?.value ?? this.forWrite(from) === this.forWrite(to);
  }

  allowMigrate(connection: ConnectionName, entity: EntityClass): boolean {
    return this.ask(({ router }) => router.allowMigrate?.(connection, entity))?.value ?? true;
  }

  /** The entities whose tables live on `connection`. */
  entitiesOn(connection: ConnectionName): EntityClass[] {
    return this.features
      .flatMap(({ entities }) => entities)
      .filter((entity) => this.allowMigrate(connection, entity));
  }

  /** The migrations that features bring for `connection`. */
  migrationsOn(connection: ConnectionName): (new () => MigrationInterface)[] {
    return this.features
      .filter(({ entities }) => entities.some((entity) => this.allowMigrate(connection, entity)))
      .flatMap(({ migrations }) => migrations ?? []);
  }

  private connection(question: 'forRead' | 'forWrite', entity: EntityClass): ConnectionName {
    const answer = this.ask(({ router }) => router[question]?.(entity));
    if (!answer) return CENTRAL;
    const known = this.connections.find((name) => name === answer.value);
    if (!known)
      throw new RoutingError([this.unknownConnection(answer.router, question, entity, answer.value)]);
    return known;
  }

  private ask<T>(question: (named: NamedRouter) => T | undefined): { router: string; value: T } | undefined {
    for (const named of this.routers) {
      const value = question(named);
      if (value !== undefined) return { router: named.name, value };
    }
    return undefined;
  }

  private problems(): string[] {
    const routed = this.features.flatMap(({ entities }) => entities);
    return [...routed.flatMap((entity) => this.problemsOf(entity)), ...this.relationProblems(routed)];
  }

  private problemsOf(entity: EntityClass): string[] {
    return (['forRead', 'forWrite'] as const).flatMap((question) => {
      try {
        const connection = this.connection(question, entity);
        if (this.allowMigrate(connection, entity)) return [];
        return [
          `${entity.name} has no connection: ${question} answers "${connection}", but allowMigrate keeps its ` +
            `table off "${connection}". Let one router answer both with the same connection.`,
        ];
      } catch (error) {
        if (error instanceof RoutingError) return error.problems;
        throw error;
      }
    });
  }

  private relationProblems(routed: readonly EntityClass[]): string[] {
    return getMetadataArgsStorage().relations.flatMap(({ target, type, propertyName }) => {
      const from = routed.find((entity) => entity === target);
      const to = resolveRelationTarget(type);
      if (!from || !to) return [];
      const relation = `${from.name}.${propertyName}`;
      if (!routed.includes(to)) {
        return [
          `${to.name}, which ${relation} refers to, has no connection: add it to the entities of a RoutingModule.forFeature.`,
        ];
      }
      if (this.safely(() => this.allowRelation(from, to)) ?? true) return [];
      return [
        `${relation} joins ${from.name} on one connection with ${to.name} on another, and no database can do that. ` +
          `Route both to the same connection, or keep ${to.name}'s id instead of a relation.`,
      ];
    });
  }

  /** Unknown connections are reported once, by the entity that they were answered for. */
  private safely<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof RoutingError) return undefined;
      throw error;
    }
  }

  private unknownConnection(router: string, question: string, entity: EntityClass, name: string): string {
    return (
      `${router}.${question}(${entity.name}) answers "${name}", which is not a connection of this node. ` +
      `Answer one of ${this.connections.map((connection) => `"${connection}"`).join(', ')}, or undefined.`
    );
  }
}

/** TypeORM keeps a relation's target as the class or as a function that returns it. */
function resolveRelationTarget(type: unknown): EntityClass | undefined {
  if (typeof type !== 'function') return undefined;
  const isClass = /^class\b/.test(Function.prototype.toString.call(type));
  return (isClass ? type : (type as () => unknown)()) as EntityClass;
}
