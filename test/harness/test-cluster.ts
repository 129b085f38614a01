import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, statfs } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinaries } from '../../src/databases/embedded/binaries.js';
import { freePort } from '../../src/databases/embedded/free-port.js';
import { initdb, SUPERUSER } from '../../src/databases/embedded/initdb.js';
import { serverAccount } from '../../src/databases/embedded/server-account.js';
import { isAlive } from '../../src/databases/embedded/process-identity.js';
import { startServer, stopServer } from '../../src/databases/embedded/server-process.js';
import { until } from './until.js';

export interface TestCluster {
  /** Superuser, database `postgres`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A server that goes down and comes back. */
export interface RestartableCluster extends TestCluster {
  /**
   * Ends the server, for {@link resume} to start it again.
   *
   * - `stopped`: as an administrator does: it ends its sessions and says so.
   * - `crashed`: it is killed, and recovers at its next start. What it had confirmed is on the disk.
   */
  goDown(how: 'stopped' | 'crashed'): Promise<void>;
  resume(): Promise<void>;
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
  // A session whose first message a test's wire holds back would keep every DROP DATABASE waiting for a minute.
  authentication_timeout: '15s',
};

/** What a commit has confirmed is there after a crash of the server. A crash of the machine is another matter. */
const CONFIRMED_COMMITS = { synchronous_commit: 'on', full_page_writes: 'on', max_connections: '100' };

/** Linux' file system in memory. */
const MEMORY = '/dev/shm';
/** What a run may need there, and then leaves more than half of: its databases, and their write-ahead log. Bytes. */
const ROOM = 12 * 2 ** 30;

/** One PostgreSQL for a whole run of the tests. */
export function startTestCluster(): Promise<TestCluster> {
  return startCluster(SETTINGS);
}

/** One of its own, for a test that takes it down. */
export function startRestartableCluster(): Promise<RestartableCluster> {
  return startCluster({ ...SETTINGS, ...CONFIRMED_COMMITS });
}

async function startCluster(settings: Record<string, string>): Promise<RestartableCluster> {
  const account = await serverAccount();
  const binaries = await findBinaries(account);
  const folder = await mkdtemp(join(await roomyFolder(), 'medlink-test-'));
  await chmod(folder, 0o755);
  if (account) await chown(folder, account.uid, account.gid);
  const data = join(folder, 'data');
  await initdb(binaries, { folder: data, password: 'test', account, flags: ['--no-sync'] });
  const port = await freePort();
  const logFile = join(folder, 'server.log');
  const start = () => startServer(binaries, { folder: data, port, account, logFile, settings });
  let { pid } = await start();
  endWithThisProcess(data, folder);
  return {
    url: `postgresql://${SUPERUSER}:test@127.0.0.1:${port}/postgres`,
    async goDown(how) {
      if (how === 'stopped') return stopServer(pid, 5_000);
      process.kill(pid, 'SIGQUIT');
      await until(() => !isAlive(pid), { what: 'the crashed server is gone' });
    },
    async resume() {
      ({ pid } = await start());
    },
    async stop() {
      await stopServer(pid, 5_000);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * A run makes and deletes some hundred thousand files, three hundred for each database. On a disk (ext4) finding a place for
 * the next one took a third of the processor.
 */
async function roomyFolder(): Promise<string> {
  const memory = existsSync(MEMORY) ? await statfs(MEMORY) : undefined;
  const room = memory ? Math.min(memory.bavail * memory.bsize, freemem()) : 0;
  return room > ROOM ? MEMORY : tmpdir();
}

/** A run that is killed cannot tear down; a server for each such run would soon fill the machine. */
function endWithThisProcess(data: string, folder: string): void {
  const script =
    'while kill -0 "$1"; do sleep 1; done; kill -QUIT "$(head -n 1 "$2/postmaster.pid")" && sleep 2; rm -rf "$3"';
  const args = ['-c', script, 'watch', String(process.pid), data, folder];
  spawn('sh', args, { detached: true, stdio: 'ignore', cwd: '/' }).unref();
}
