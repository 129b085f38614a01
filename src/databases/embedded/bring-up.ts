import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Binaries } from './binaries.js';
import { EmbeddedError } from './embedded-error.js';
import { freePort } from './free-port.js';
import type { ServerAccount } from './server-account.js';
import { greet, isServerOf } from './server-identity.js';
import { postmasterPid, readyServer, type RunningServer, startServer, stopServer } from './server-process.js';

export interface BringUp {
  readonly binaries: Binaries;
  readonly folder: string;
  readonly account: ServerAccount | undefined;
  readonly logFile: string;
  readonly password: string;
  /** Tried first. */
  readonly port: number | undefined;
  /** The port is already known to others: no other will do. */
  readonly portIsFixed: boolean;
  /** Another living process looks after the server: it may be used, not ended. */
  readonly owned: boolean;
}

/** Durability is PostgreSQL's own default and stays so. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** How long a server may take to finish starting or stopping before it counts as hung. */
const SETTLE_TIMEOUT_MS = 20_000;
const PORT_ATTEMPTS = 5;

/** Uses the folder's running server when it is well, and starts one otherwise. */
export async function bringUp(request: BringUp): Promise<RunningServer> {
  return (await runningWell(request)) ?? start(request);
}

/** A server that outlived the process that started it, or another process's. */
async function runningWell({ folder, password, owned }: BringUp): Promise<RunningServer | undefined> {
  const pid = await postmasterPid(folder);
  if (pid === undefined) return undefined;
  const server = await settled(folder, pid);
  if (server && (await answers(server, password, folder))) return server;
  if (await isServerOf(folder, pid)) {
    if (owned)
      throw new EmbeddedError('START_FAILED', `The PostgreSQL server ${pid} of ${folder} does not answer.`);
    await stopServer(pid, SETTLE_TIMEOUT_MS / 4);
  }
  await rm(join(folder, 'postmaster.pid'), { force: true });
  return undefined;
}

/** Waits while the server starts or stops. `undefined` when it is gone, or stays in between. */
async function settled(folder: string, pid: number): Promise<RunningServer | undefined> {
  const deadline = Date.now() + SETTLE_TIMEOUT_MS;
  while (Date.now() < deadline && (await isServerOf(folder, pid))) {
    const server = await readyServer(folder);
    if (server) return server;
    await pause(25);
  }
  return undefined;
}

async function answers({ port }: RunningServer, password: string, folder: string): Promise<boolean> {
  try {
    return await greet({ port, password }, folder);
  } catch (error) {
    if ((error as { code?: string }).code !== '28P01') return false;
    throw passwordError(folder, error);
  }
}

async function start(request: BringUp): Promise<RunningServer> {
  for (let attempt = 1; ; attempt++) {
    const port = await choosePort(request, attempt);
    try {
      const server = await startServer(request.binaries, { ...request, port, settings: SETTINGS });
      if (await answers(server, request.password, request.folder)) return server;
      throw new EmbeddedError(
        'START_FAILED',
        `Something else answers on the port ${port} of ${request.folder}.`,
      );
    } catch (error) {
      // Somebody took the port since it was found free.
      const busy =
        error instanceof EmbeddedError && /Address already in use|could not bind/.test(error.message);
      if (!busy || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function choosePort({ port, portIsFixed, folder }: BringUp, attempt: number): Promise<number> {
  const free = await freePort(attempt === 1 || portIsFixed ? port : undefined);
  if (!portIsFixed || free === port) return free;
  throw new EmbeddedError('START_FAILED', `The port ${port} of ${folder} is in use by another program.`);
}

const passwordError = (folder: string, cause: unknown) =>
  new EmbeddedError(
    'PASSWORD_MISSING',
    `The password of ${folder} is not the one that is kept beside it. Restore the .json file of the ` +
      'same name from a backup of the data directory.',
    { cause },
  );
