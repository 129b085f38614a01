import { spawn } from 'node:child_process';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinaries } from '../../src/databases/embedded/binaries.js';
import { freePort } from '../../src/databases/embedded/free-port.js';
import { initdb, SUPERUSER } from '../../src/databases/embedded/initdb.js';
import { serverAccount } from '../../src/databases/embedded/server-account.js';
import { startServer, stopServer } from '../../src/databases/embedded/server-process.js';

export interface TestCluster {
  /** Superuser, database `postgres`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Speed in place of durability: what a test leaves behind is thrown away. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '400',
  shared_buffers: '128MB',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  // Checkpoints of many template copies would make single tests slow at random.
  max_wal_size: '4GB',
  autovacuum_naptime: '5min',
};

/** One PostgreSQL for a whole run of the tests. */
export async function startTestCluster(): Promise<TestCluster> {
  const account = await serverAccount();
  const binaries = await findBinaries(account);
  const folder = await mkdtemp(join(tmpdir(), 'medlink-test-'));
  await chmod(folder, 0o755);
  if (account) await chown(folder, account.uid, account.gid);
  const data = join(folder, 'data');
  await initdb(binaries, { folder: data, password: 'test', account, flags: ['--no-sync'] });
  const port = await freePort();
  const logFile = join(folder, 'server.log');
  const { pid } = await startServer(binaries, { folder: data, port, account, logFile, settings: SETTINGS });
  endWithThisProcess(pid, folder);
  return {
    url: `postgresql://${SUPERUSER}:test@127.0.0.1:${port}/postgres`,
    async stop() {
      await stopServer(pid, 5_000);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A run that is killed cannot tear down; a server for each such run would soon fill the machine. */
function endWithThisProcess(server: number, folder: string): void {
  const script = 'while kill -0 "$1"; do sleep 1; done; kill -QUIT "$2" && sleep 2; rm -rf "$3"';
  const args = ['-c', script, 'watch', String(process.pid), String(server), folder];
  spawn('sh', args, { detached: true, stdio: 'ignore', cwd: '/' }).unref();
}
