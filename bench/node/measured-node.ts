import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REGION_CODE } from '../databases.js';
import type { Answer, Commands, Request } from './protocol.js';

/** The real application, serving, in a process of its own. */
export class MeasuredNode {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
    private readonly dataDir: string,
  ) {}

  get pid(): number {
    return this.process.pid!;
  }

  static async start(region: string, central: string, code = REGION_CODE): Promise<MeasuredNode> {
    const dataDir = await mkdtemp(join(tmpdir(), 'medlink-bench-node-'));
    const child = fork(fileURLToPath(new URL('main.js', import.meta.url)), {
      env: {
        ...process.env,
        PORT: '0',
        NODE_ENV: 'development',
        MEDLINK_NODE: 'standalone',
        MEDLINK_REGION: code,
        MEDLINK_DATA_DIR: dataDir,
        MEDLINK_ADMIN_PASSWORD: 'a password for a benchmark',
        MEDLINK_LOG_LEVEL: 'warn',
        DATABASE_REGIONALE_URL: region,
        DATABASE_DEFAULT_URL: central,
      },
    });
    const answer = await nextAnswer(child);
    if (!('ready' in answer)) throw new Error('The node did not start');
    return new MeasuredNode(answer.ready, child, dataDir);
  }

  /** One command at a time. */
  async ask<C extends keyof Commands>(
    command: C,
    ...[argument]: Parameters<Commands[C]>
  ): Promise<Awaited<ReturnType<Commands[C]>>> {
    const request: Request = { command, argument };
    this.process.send(request);
    const answer = await nextAnswer(this.process);
    if ('error' in answer) throw new Error(`The node refused ${command}: ${answer.error}`);
    if ('ready' in answer) throw new Error('The node started again');
    return answer.value as Awaited<ReturnType<Commands[C]>>;
  }

  async stop(): Promise<void> {
    const exited = once(this.process, 'exit');
    this.process.disconnect();
    await exited;
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

async function nextAnswer(child: ChildProcess): Promise<Answer> {
  const ended = new AbortController();
  try {
    return await Promise.race([
      once(child, 'message', ended).then(([message]) => message as Answer),
      once(child, 'exit', ended).then<never>(([code]) => {
        throw new Error(`The node ended with ${String(code)}`);
      }),
    ]);
  } finally {
    ended.abort();
  }
}
