import { migrationOptions } from '../ormconfig/connection-options.js';
import { migrate } from '../src/databases/migrate.js';
import { prepareDatabase } from '../src/databases/prepare-database.js';
import { CENTRAL, REGIONALE, type ConnectionName } from '../src/routing/connection-names.js';
import { RoutingTable } from '../src/routing/routing-table.js';
import { withClient } from './clusters.js';

export const REGION_CODE = 'DKR';

export interface DatabaseUrls {
  readonly region: string;
  readonly central: string;
}

/** A new, migrated database of a regional node on the server at `server`. Resolves with its URL. */
export function createRegion(server: string, name: string, code = REGION_CODE): Promise<string> {
  return create(server, name, REGIONALE, code);
}

/** A new, migrated database of central. */
export function createCentral(server: string, name: string): Promise<string> {
  return create(server, name, CENTRAL, 'central');
}

export async function dropDatabase(url: string): Promise<void> {
  await withClient(onDatabase(url, 'postgres'), (client) =>
    client.query(`DROP DATABASE "${new URL(url).pathname.slice(1)}" WITH (FORCE)`),
  );
}

async function create(
  server: string,
  name: string,
  connection: ConnectionName,
  node: string,
): Promise<string> {
  await withClient(server, (client) => client.query(`CREATE DATABASE "${name}"`));
  const url = onDatabase(server, name);
  const routes = new RoutingTable([], 'standalone');
  await prepareDatabase(migrationOptions(connection, url, routes), { migrate, node });
  return url;
}

function onDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
