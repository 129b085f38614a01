import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { EmbeddedCluster } from '../src/databases/embedded/embedded-cluster.js';

/** Two servers with the settings that MedLink gives its own, durable, in a folder that goes when they stop. */
export interface Clusters {
  /** URLs of the application's database on each server. */
  readonly region: string;
  readonly central: string;
  stop(): Promise<void>;
}

/**
 * What the measurements themselves need; none changes what a commit waits for. Central publishes nothing, and keeps the
 * `wal_level` that MedLink gives it: under `logical`, an update is written out whole.
 */
const MEASURING = {
  region: ['track_commit_timestamp = on', 'wal_level = logical'],
  central: ['track_commit_timestamp = on', 'max_logical_replication_workers = 8'],
};
type ServerName = keyof typeof MEASURING;

const LOG = {
  info: () => undefined,
  warn: (message: string) => process.stderr.write(`${message}\n`),
};

export async function startClusters(): Promise<Clusters> {
  const folder = await mkdtemp(join(tmpdir(), 'medlink-bench-'));
  const region = new EmbeddedCluster(join(folder, 'region'), LOG);
  const central = new EmbeddedCluster(join(folder, 'central'), LOG);
  const stop = async () => {
    await Promise.all([region.stop(), central.stop()]);
    await rm(folder, { recursive: true, force: true });
  };
  stopOnSignals(stop);
  try {
    const urls = await Promise.all([startMeasurable(region, 'region'), startMeasurable(central, 'central')]);
    return { region: urls[0], central: urls[1], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs `work` with a client of its own. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The settings are read at a start only, and MedLink's own go over them. */
async function startMeasurable(cluster: EmbeddedCluster, name: ServerName): Promise<string> {
  const url = await cluster.start();
  await withClient(url, async (client) => {
    for (const setting of MEASURING[name]) await client.query(`ALTER SYSTEM SET ${setting}`);
  });
  await cluster.stop();
  return cluster.start();
}

/** An interrupted run leaves no server behind. */
function stopOnSignals(stop: () => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stop().then(
        () => process.exit(130),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  }
}
