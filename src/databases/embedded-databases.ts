import { join } from 'node:path';
import type { Config } from '../config/config.js';
import {
  CENTRAL,
  connectionsOf,
  homeConnection,
  REGIONALE,
  type ConnectionName,
} from '../routing/connection-names.js';
import type { DatabaseUrls } from './databases.module.js';
import { type ClusterLog, EmbeddedCluster } from './embedded/embedded-cluster.js';

export interface StartedDatabases {
  readonly urls: DatabaseUrls;
  /** Stops the servers that this process owns. */
  stop(): Promise<void>;
}

/** Nothing listens there. */
const NOWHERE = 'postgresql://127.0.0.1:1/medlink';

/**
 * Starts an embedded server for each connection of the node that the environment gives no URL. Rejects
 * when the node's own cannot start; without central's the node works, and says why in the log.
 */
export async function startDatabases(config: Config, log: ClusterLog): Promise<StartedDatabases> {
  const given = givenUrls(config);
  const clusters = connectionsOf(config.mode)
    .filter((name) => !given[name])
    .map((name) => ({ name, cluster: new EmbeddedCluster(clusterPath(config, name), log) }));
  const stop = async () => {
    await Promise.all(clusters.map(({ cluster }) => cluster.stop()));
  };
  const starts = clusters.map(async ({ name, cluster }) => {
    const url =
      name === homeConnection(config.mode) ? await cluster.start() : await startCentral(cluster, log);
    return [name, url] as const;
  });
  const results = await Promise.allSettled(starts);
  const failed = results.find((result) => result.status === 'rejected');
  if (!failed) return { urls: { ...given, ...Object.fromEntries(await Promise.all(starts)) }, stop };
  await stop();
  throw failed.reason;
}

/** The URLs that the environment gives. */
export function givenUrls(config: Config): DatabaseUrls {
  return { [REGIONALE]: config.regionaleUrl, [CENTRAL]: config.centralUrl };
}

/** Where the files of an embedded server are. */
export const clusterPath = (config: Config, name: ConnectionName): string => join(config.dataDir, name);

async function startCentral(cluster: EmbeddedCluster, log: ClusterLog): Promise<string> {
  try {
    return await cluster.start();
  } catch (error) {
    log.warn(`The embedded central database cannot start; changes wait in the region. ${String(error)}`);
    return NOWHERE;
  }
}
