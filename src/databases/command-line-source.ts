import { DataSource } from 'typeorm';
import { migrationOptions } from '../../ormconfig/connection-options.js';
import type { Config } from '../config/config.js';
import type { ConnectionName } from '../routing/connection-names.js';
import { registeredFeatures } from '../routing/feature.js';
import { RoutingTable } from '../routing/routing-table.js';
import { clusterPath, givenUrls } from './embedded-databases.js';
import { runningUrl } from './embedded/running-url.js';

/**
 * A connection for the TypeORM command line, not open yet. Rejects when the environment gives it no URL
 * and its embedded server does not run.
 */
export async function commandLineSource(name: ConnectionName, config: Config): Promise<DataSource> {
  const url = givenUrls(config)[name] ?? (await runningUrl(clusterPath(config, name)));
  if (url)
    return new DataSource(migrationOptions(name, url, new RoutingTable(registeredFeatures(), config.mode)));
  throw new Error(
    `The embedded database "${name}" in ${config.dataDir} is not running: start MedLink first, or set the ` +
      "connection's DATABASE_*_URL.",
  );
}
