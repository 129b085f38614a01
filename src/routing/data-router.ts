import { Inject, Injectable } from '@nestjs/common';
import type { DataSource, EntityManager, ObjectLiteral, Repository } from 'typeorm';
import { CentralAvailability } from './central-availability.js';
import { attachChangeContext, type ChangeContext } from './change-context.js';
import { CENTRAL, type ConnectionName } from './connection-names.js';
import type { EntityClass } from './connection-router.js';
import { RoutingTable } from './routing-table.js';

export const DATA_SOURCES = Symbol('DATA_SOURCES');
export type DataSources = Readonly<Partial<Record<ConnectionName, DataSource>>>;

/** The central database cannot be reached now. Nothing is lost: what was written waits in the journal. */
export class CentralUnavailableError extends Error {
  constructor(options?: ErrorOptions) {
    super('The central database cannot be reached', options);
    this.name = 'CentralUnavailableError';
  }
}

/** The only way to a repository: asks the routers which connection serves the entity. */
@Injectable()
export class DataRouter {
  constructor(
    private readonly routes: RoutingTable,
    @Inject(DATA_SOURCES) private readonly sources: DataSources,
    private readonly availability: CentralAvailability,
  ) {}

  forRead<E extends ObjectLiteral>(entity: EntityClass<E>): Repository<E> {
    return this.source(this.routes.forRead(entity)).getRepository<E>(entity);
  }

  forWrite<E extends ObjectLiteral>(entity: EntityClass<E>): Repository<E> {
    return this.source(this.routes.forWrite(entity)).getRepository<E>(entity);
  }

  /** The node's own database, for what is about the whole of it: its journal, its health. */
  get home(): DataSource {
    return this.source(this.routes.home);
  }

  /** The national copy of `entity`, whatever the routers say of the region's. Throws {@link CentralUnavailableError}. */
  central<E extends ObjectLiteral>(entity: EntityClass<E>): Repository<E> {
    return this.source(CENTRAL).getRepository<E>(entity);
  }

  /** The central database, for what is about the whole of it. Throws {@link CentralUnavailableError}. */
  centralSource(): DataSource {
    return this.source(CENTRAL);
  }

  /**
   * Runs `work` in one transaction on the connection that writes `entity`. What it changes is
   * journaled under `context` and commits with its journal entries, or not at all.
   */
  async transaction<T>(
    entity: EntityClass,
    context: ChangeContext,
    work: (manager: EntityManager) => Promise<T>,
  ): Promise<T> {
    return transactionOn(this.source(this.routes.forWrite(entity)), context, work);
  }

  /**
   * Runs `work` in one transaction at central, whose own change it is: journaled there under `context`, with
   * central as its origin, it goes down to every node that it concerns. Throws {@link CentralUnavailableError}.
   */
  async centralTransaction<T>(
    context: ChangeContext,
    work: (manager: EntityManager) => Promise<T>,
  ): Promise<T> {
    return transactionOn(this.source(CENTRAL), context, work);
  }

  private source(name: ConnectionName): DataSource {
    const source = this.sources[name];
    if (!source) throw new Error(`The connection "${name}" is not open on this node`);
    if (name === CENTRAL && !this.availability.isOpen) throw new CentralUnavailableError();
    return source;
  }
}

function transactionOn<T>(
  source: DataSource,
  context: ChangeContext,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  return source.transaction((manager) => {
    attachChangeContext(manager.queryRunner!, context);
    return work(manager);
  });
}
