import { type DynamicModule, Global, Logger, Module, type Provider } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { connectionOptions, migrationOptions } from '../../ormconfig/connection-options.js';
import { Config } from '../config/config.js';
import { CentralAvailability } from '../routing/central-availability.js';
import { CENTRAL, connectionsOf, homeConnection, type ConnectionName } from '../routing/connection-names.js';
import { DATA_SOURCES, DataRouter } from '../routing/data-router.js';
import { registeredFeatures } from '../routing/feature.js';
import { RoutingTable } from '../routing/routing-table.js';
import { refuseUndeclaredEntities } from '../routing/undeclared-entities.js';
import { CentralConnection } from './central-connection.js';
import { prepareHome } from './home-database.js';
import { migrate, migrateIfNew, type Patiently } from './migrate.js';
import { prepareDatabase } from './prepare-database.js';
import { TrackedSockets } from './tracked-sockets.js';

/** The URL of each connection that the node opens. */
export type DatabaseUrls = Readonly<Partial<Record<ConnectionName, string>>>;

/** What central writes into the `node` table of its database. */
const CENTRAL_NODE = 'central';

/**
 * The connections of this node, for every module. The node's own is open and migrated before anything else
 * is built; the one to central, on other nodes, is opened in the background by {@link CentralConnection}.
 */
@Global()
@Module({})
export class DatabasesModule {
  /** Call it when every module with a `RoutingModule.forFeature` has been imported. */
  static forNode(config: Config, urls: DatabaseUrls): DynamicModule {
    refuseUndeclaredEntities(registeredFeatures());
    const routes = new RoutingTable(registeredFeatures(), config.mode);
    const connections = connectionsOf(config.mode);
    const sockets = new TrackedSockets();
    const node = new NodeDatabases(config, urls, routes, sockets);
    return {
      module: DatabasesModule,
      imports: connections.map((name) => node.connection(name)),
      providers: [
        { provide: Config, useValue: config },
        { provide: RoutingTable, useValue: routes },
        { provide: CentralAvailability, useFactory: () => node.availability },
        dataSources(connections),
        DataRouter,
        {
          provide: CentralConnection,
          useFactory: (source: DataSource) => node.centralConnection(source),
          inject: [getDataSourceToken(CENTRAL)],
        },
      ],
      exports: [Config, RoutingTable, DATA_SOURCES, CentralAvailability, DataRouter, CentralConnection],
    };
  }
}

function dataSources(connections: readonly ConnectionName[]): Provider {
  return {
    provide: DATA_SOURCES,
    useFactory: (...sources: DataSource[]) =>
      Object.fromEntries(connections.map((name, index) => [name, sources[index]])),
    inject: connections.map((name) => getDataSourceToken(name)),
  };
}

/** How each connection of one node is opened. */
class NodeDatabases {
  readonly availability = new CentralAvailability();
  private readonly home: ConnectionName;
  private readonly logger = new Logger('Databases');

  constructor(
    private readonly config: Config,
    private readonly urls: DatabaseUrls,
    private readonly routes: RoutingTable,
    private readonly sockets: TrackedSockets,
  ) {
    this.home = homeConnection(config.mode);
  }

  connection(name: ConnectionName): DynamicModule {
    return TypeOrmModule.forRootAsync({
      name,
      useFactory: () => ({
        ...this.options(name),
        manualInitialization: name !== this.home,
        retryAttempts: 0,
      }),
      dataSourceFactory: async (options) => {
        if (name === this.home) await this.prepareHome();
        return new DataSource(options as DataSourceOptions);
      },
    });
  }

  centralConnection(source: DataSource): CentralConnection {
    const { availability, sockets } = this;
    const prepare = (patiently: Patiently) =>
      prepareDatabase(this.migrationOptions(CENTRAL), {
        // A standalone node is the only one that looks after its central; several regions leave theirs to it.
        migrate: this.config.mode === 'standalone' ? migrate : migrateIfNew,
        node: CENTRAL_NODE,
        patiently,
      });
    return new CentralConnection({ source, prepare, sockets, availability });
  }

  private prepareHome(): Promise<void> {
    const node = this.home === CENTRAL ? CENTRAL_NODE : this.config.region;
    return prepareHome(this.migrationOptions(this.home), node);
  }

  private options(name: ConnectionName): PostgresDataSourceOptions {
    return this.watched(name, connectionOptions(name, this.url(name), this.routes));
  }

  private migrationOptions(name: ConnectionName): PostgresDataSourceOptions {
    return this.watched(name, migrationOptions(name, this.url(name), this.routes));
  }

  /** An idle session that the server ends is an event, not a crash; and central's can be cut from here. */
  private watched(name: ConnectionName, options: PostgresDataSourceOptions): PostgresDataSourceOptions {
    return {
      ...options,
      poolErrorHandler: (error: Error) => this.logger.warn(`A session of "${name}" ended: ${error.message}`),
      ...(name !== this.home && { extra: { ...(options.extra as object), stream: this.sockets.create } }),
    };
  }

  private url(name: ConnectionName): string {
    const url = this.urls[name];
    if (!url) throw new Error(`The connection "${name}" has no URL`);
    return url;
  }
}
