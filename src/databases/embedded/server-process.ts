import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Binaries } from './binaries.js';
import { EmbeddedError, systemCode } from './embedded-error.js';
import { isAlive } from './process-identity.js';
import type { ServerAccount } from './server-account.js';

export interface ServerOptions {
  readonly folder: string;
  readonly port: number;
  readonly account: ServerAccount | undefined;
  readonly logFile: string;
  /** Settings of postgresql.conf that go over the file's own. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A server that accepts connections. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

/** Recovery after a crash replays up to a whole `max_wal_size`; two minutes is far more than that needs. */
const START_TIMEOUT_MS = 120_000;
/** Written to postmaster.pid by PostgreSQL itself, on this line. */
const STATUS_LINE = 7;
const PORT_LINE = 3;

/**
 * Starts a server and waits until it accepts connections. It is a process group of its own, so that
 * Ctrl+C reaches MedLink first and the server stops last. Throws `START_FAILED` with the server's words.
 */
export async function startServer(binaries: Binaries, options: ServerOptions): Promise<RunningServer> {
  const log = await open(options.logFile, 'a', 0o600);
  try {
    const { size } = await log.stat();
    const settings = Object.entries(options.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(binaries.postgres, ['-D', options.folder, '-p', String(options.port), ...settings], {
      ...options.account,
      cwd: '/',
      env: { LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    });
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? String(code)}`));
    });
    child.unref();
    const failure = await Promise.race([ended, becomesReady(options.folder, child.pid)]);
    if (failure === undefined) return { pid: child.pid!, port: options.port };
    const words = (await readFile(options.logFile, 'utf8')).slice(size).trim();
    throw new EmbeddedError(
      'START_FAILED',
      `PostgreSQL in ${options.folder} did not start: ${failure}\n${words}`,
    );
  } finally {
    await log.close();
  }
}

/** The server of `folder` that accepts connections, by its own word in postmaster.pid. */
export async function readyServer(folder: string): Promise<RunningServer | undefined> {
  const lines = await postmasterFile(folder);
  const [pid, port] = [Number(lines[0]), Number(lines[PORT_LINE])];
  return lines[STATUS_LINE]?.trim() === 'ready' && isAlive(pid) ? { pid, port } : undefined;
}

/** The process id that postmaster.pid names, whether or not that process lives. */
export async function postmasterPid(folder: string): Promise<number | undefined> {
  const [pid] = await postmasterFile(folder);
  return pid ? Number(pid) : undefined;
}

/**
 * Ends sessions, writes everything and stops. After the deadline the server is told to stop at once, and is
 * killed if it does not; nothing committed is lost by either. Resolves when the process is gone.
 */
export async function stopServer(pid: number, timeoutMs: number): Promise<void> {
  signal(pid, 'SIGINT');
  const began = Date.now();
  while (isAlive(pid)) {
    const waited = Date.now() - began;
    if (waited > timeoutMs * 1.5) signal(pid, 'SIGKILL');
    else if (waited > timeoutMs) signal(pid, 'SIGQUIT');
    await pause(20);
  }
}

async function becomesReady(folder: string, pid: number | undefined): Promise<string | undefined> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const server = await readyServer(folder);
    if (server && server.pid === pid) return undefined;
    await pause(15);
  }
  return `it was not ready after ${START_TIMEOUT_MS / 1000} s`;
}

async function postmasterFile(folder: string): Promise<readonly string[]> {
  try {
    return (await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}
