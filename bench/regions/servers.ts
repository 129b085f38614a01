import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinaries } from '../../src/databases/embedded/binaries.js';
import { freePort } from '../../src/databases/embedded/free-port.js';
import { initdb, SUPERUSER } from '../../src/databases/embedded/initdb.js';
import { serverAccount } from '../../src/databases/embedded/server-account.js';
import { startServer, stopServer } from '../../src/databases/embedded/server-process.js';

export interface Server {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** As MedLink sets up its own, durable, but with room for the sessions of many nodes. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '400',
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** A PostgreSQL server in a folder that goes when it stops. */
export async function startOwnServer(): Promise<Server> {
  const account = await serverAccount();
  const binaries = await findBinaries(account);
  const folder = await mkdtemp(join(tmpdir(), 'medlink-regions-'));
  await chmod(folder, 0o755);
  if (account) await chown(folder, account.uid, account.gid);
  const data = join(folder, 'data');
  await initdb(binaries, { folder: data, password: 'bench', account, flags: ['--no-sync'] });
  const port = await freePort();
  const options = { folder: data, port, account, logFile: join(folder, 'server.log'), settings: SETTINGS };
  const { pid } = await startServer(binaries, options);
  return {
    url: `postgresql://${SUPERUSER}:bench@127.0.0.1:${port}/postgres`,
    pid,
    async stop() {
      await stopServer(pid, 10_000);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
