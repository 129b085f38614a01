import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/databases/embedded/free-port.js';
import { ADMIN, logIn, usualEnvironment } from './application.js';
import { PROJECT_ROOT } from './project-root.js';
import type { ServedNode } from './served-node.js';
import { until } from './until.js';

const BUILT = join(PROJECT_ROOT, 'dist/src/main.js');
const MOVED_CLOCK = join(PROJECT_ROOT, 'test/harness/moved-clock.mjs');

/** MedLink as it is served: a process of its own, which can be killed, stopped and have its clock moved. */
export class NodeProcess implements ServedNode {
  private child: ChildProcess | undefined;
  private output = '';
  private shiftMs = 0;

  private constructor(
    readonly url: string,
    private readonly main: string,
    private readonly environment: NodeJS.ProcessEnv,
    private readonly dataDir: string,
  ) {}

  /**
   * A node on the given databases. `main` is the program: by default the built one (`npm test` makes a build);
   * see compileProject() for the sources of this moment.
   */
  static async start(environment: Record<string, string>, main = BUILT): Promise<NodeProcess> {
    const port = await freePort();
    const dataDir = await mkdtemp(join(tmpdir(), 'medlink-process-'));
    const node = new NodeProcess(
      `http://127.0.0.1:${port}`,
      main,
      {
        PATH: process.env.PATH,
        ...usualEnvironment(dataDir),
        PORT: String(port),
        MEDLINK_LOG_LEVEL: 'info',
        ...environment,
      },
      dataDir,
    );
    await node.restart();
    return node;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** Everything that the process has printed since its last start. */
  get log(): string {
    return this.output;
  }

  /** Starts it, after it has ended. Resolves when it is ready. */
  async restart(): Promise<void> {
    this.output = '';
    const child = spawn(process.execPath, ['--import', MOVED_CLOCK, this.main], {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text) => (this.output += String(text)));
    if (this.shiftMs !== 0) await this.moveClock(this.shiftMs);
    const isUpOrEnded = async () => child.exitCode !== null || (await this.isReady());
    await until(isUpOrEnded, { what: 'the node is ready', timeoutMs: 60_000 });
    if (child.exitCode !== null) throw new Error(`The node ended with ${child.exitCode}:\n${this.output}`);
  }

  stop(): Promise<void> {
    return this.end('SIGTERM').then();
  }

  /** Sends the signal and waits for the end. Gives the exit code, or `null` when the signal ended it. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = once(child, 'exit');
    child.kill(signal);
    const [code] = (await ended) as [number | null];
    return code;
  }

  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  /** Its wall clock is `shiftMs` ahead of the machine's from now on, also after a restart. */
  async moveClock(shiftMs: number): Promise<void> {
    this.shiftMs = shiftMs;
    const moved = once(this.child!, 'message');
    this.child!.send({ shiftMs });
    await moved;
  }

  token(): Promise<string> {
    return logIn(this.url, ADMIN);
  }

  /** Kills what still runs and removes the data folder. Call it in `afterAll`. */
  async remove(): Promise<void> {
    await this.end('SIGKILL');
    await rm(this.dataDir, { recursive: true, force: true });
  }

  private async isReady(): Promise<boolean> {
    return (await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(5_000) })).ok;
  }
}
