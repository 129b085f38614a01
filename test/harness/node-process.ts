import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADMIN, logIn } from './application.js';
import { until } from './until.js';

const MAIN = join(import.meta.dirname, '../../dist/src/main.js');

/** MedLink as it is served: the built program in a process of its own, which can be killed. */
export class NodeProcess {
  private child: ChildProcess | undefined;
  private output = '';

  private constructor(
    readonly url: string,
    private readonly environment: NodeJS.ProcessEnv,
    private readonly dataDir: string,
  ) {}

  /** A node on the given databases. Needs a build (`npm test` makes one). */
  static async start(environment: Record<string, string>): Promise<NodeProcess> {
    const port = await freePort();
    const dataDir = await mkdtemp(join(tmpdir(), 'medlink-process-'));
    const node = new NodeProcess(
      `http://127.0.0.1:${String(port)}`,
      {
        PATH: process.env.PATH,
        PORT: String(port),
        MEDLINK_DATA_DIR: dataDir,
        MEDLINK_ADMIN_EMAIL: ADMIN.email,
        MEDLINK_ADMIN_PASSWORD: ADMIN.password,
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

  async restart(): Promise<void> {
    this.output = '';
    const child = spawn(process.execPath, [MAIN], {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => (this.output += String(text)));
    const isUpOrEnded = async () => child.exitCode !== null || (await this.isReady());
    await until(isUpOrEnded, { what: 'the node is ready', timeoutMs: 60_000 });
    if (child.exitCode !== null)
      throw new Error(`The node ended with ${String(child.exitCode)}:\n${this.output}`);
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

  private async isReady(): Promise<boolean> {
    return (await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(5_000) })).ok;
  }

  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  token(): Promise<string> {
    return logIn(this.url, ADMIN);
  }

  /** Kills what still runs and removes the data folder. Call it in `afterAll`. */
  async remove(): Promise<void> {
    await this.end('SIGKILL');
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
