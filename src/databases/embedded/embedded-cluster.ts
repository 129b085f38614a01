import { basename, dirname } from 'node:path';
import { findBinaries } from './binaries.js';
import { bringUp } from './bring-up.js';
import {
  accountOf,
  createCluster,
  existingFolder,
  makeDataDir,
  refuseOtherVersion,
} from './cluster-folder.js';
import { type ClusterState, newState, readState, writeState } from './cluster-state.js';
import { EmbeddedError } from './embedded-error.js';
import { identify, isAlive, isSameProcessAlive } from './process-identity.js';
import { serverAccount } from './server-account.js';
import { urlOf } from './server-identity.js';
import { postmasterPid, readyServer, type RunningServer, stopServer } from './server-process.js';
import { withStartLock } from './start-lock.js';

export interface ClusterLog {
  info(message: string): void;
  warn(message: string): void;
}

const WATCH_MS = 500;
/** After this a server is made to stop at once, and recovers when it starts again. */
const STOP_TIMEOUT_MS = 4_000;

/**
 * A PostgreSQL server of this machine's own, with its files in `path`. The first process that starts it,
 * or that finds it without a living owner, owns it: it stops it when it stops, and starts it again when it
 * crashes. Other processes just use it.
 */
export class EmbeddedCluster {
  private server: RunningServer | undefined;
  private password = '';
  private watch: NodeJS.Timeout | undefined;
  private revival: Promise<void> | undefined;
  /** Said since the server ran last: attempts follow each other quickly. */
  private readonly reported = new Set<string>();

  constructor(
    private readonly path: string,
    private readonly log: ClusterLog,
  ) {}

  /** Resolves with the URL of the application's database. Rejects with an {@link EmbeddedError}. */
  async start(): Promise<string> {
    await this.bringUp();
    this.watch = setInterval(() => {
      this.revival ??= this.look();
    }, WATCH_MS).unref();
    return urlOf({ port: this.server!.port, password: this.password });
  }

  /** Stops the server if this process owns it. */
  async stop(): Promise<void> {
    if (!this.server) return;
    clearInterval(this.watch);
    await this.revival;
    await withStartLock(this.file('lock'), async () => {
      const state = await readState(this.file('json'));
      if (!state || !isOwn(state)) return;
      // Whoever else uses the server sees that nobody owns it, and may start it again.
      await writeState(this.file('json'), { ...state, owner: undefined });
      if (this.server && isAlive(this.server.pid)) await stopServer(this.server.pid, STOP_TIMEOUT_MS);
    });
  }

  private async bringUp(): Promise<void> {
    const account = await serverAccount();
    await makeDataDir(dirname(this.path), account);
    await withStartLock(this.file('lock'), async () => {
      const binaries = await findBinaries(account);
      const state = await this.stateOrNew();
      const folder =
        (await existingFolder(this.path)) ??
        (await createCluster(binaries, this.path, state.password, account));
      await refuseOtherVersion(folder, binaries);
      const owned = hasOtherOwner(state);
      this.server = await bringUp({
        binaries,
        folder,
        account: await accountOf(folder, account),
        logFile: this.file('log'),
        password: state.password,
        port: this.server?.port ?? state.port,
        portIsFixed: this.server !== undefined,
        owned,
      });
      this.password = state.password;
      const owner = owned ? state.owner : identify(process.pid);
      await writeState(this.file('json'), { ...state, port: this.server.port, owner });
    });
  }

  private async stateOrNew(): Promise<ClusterState> {
    const state = await readState(this.file('json'));
    if (state) return state;
    if (await existingFolder(this.path)) {
      throw new EmbeddedError(
        'PASSWORD_MISSING',
        `${this.file('json')}, which holds the password of the database beside it, is missing. Restore it from a ` +
          'backup, or move the database folder away to begin with an empty one.',
      );
    }
    const made = newState();
    await writeState(this.file('json'), made);
    return made;
  }

  /** Every so often: is the server still there? */
  private async look(): Promise<void> {
    try {
      if (!isAlive(this.server!.pid)) await this.revive();
    } catch (error) {
      this.reportOnce(
        `It could not be started again yet: ${error instanceof Error ? error.message : String(error)}`,
      );
    } finally {
      this.revival = undefined;
    }
  }

  /**
   * A server that crashed left its postmaster.pid; one that was stopped properly did not. The first is
   * started again. The second was stopped by somebody, who is left to start it, unless it was its owner,
   * which has gone.
   */
  private async revive(): Promise<void> {
    const folder = await existingFolder(this.path);
    if (!folder) {
      this.reportOnce('Its folder is gone');
      return;
    }
    const replaced = await readyServer(folder);
    if (replaced?.port === this.server!.port) {
      this.server = replaced;
      this.reported.clear();
      return;
    }
    const crashed = (await postmasterPid(folder)) !== undefined;
    const state = await readState(this.file('json'));
    if (!crashed && state && hasLivingOwner(state)) {
      this.reportOnce('Somebody stopped it; it waits to be started again');
      return;
    }
    this.reportOnce(crashed ? 'It crashed; starting it again' : 'Its owner has gone; starting it again');
    await this.bringUp();
    this.reportOnce('It runs again');
    this.reported.clear();
  }

  private reportOnce(message: string): void {
    if (this.reported.has(message)) return;
    this.reported.add(message);
    this.log.warn(`Embedded PostgreSQL "${basename(this.path)}": ${message}`);
  }

  private file(kind: 'json' | 'lock' | 'log'): string {
    return `${this.path}.${kind}`;
  }
}

const hasLivingOwner = ({ owner }: ClusterState) => owner !== undefined && isSameProcessAlive(owner);
const isOwn = (state: ClusterState) => hasLivingOwner(state) && state.owner!.pid === process.pid;
const hasOtherOwner = (state: ClusterState) => hasLivingOwner(state) && state.owner!.pid !== process.pid;
