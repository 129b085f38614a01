import { type ChildProcess, spawn } from 'node:child_process';

export interface ScriptProcess {
  readonly pid: number;
  /** Everything that it printed, on either stream, up to now. */
  output(): string;
  /** The whole line with `text`, when it has been printed. Rejects when the process ends before that. */
  printed(text: string): Promise<string>;
  /** Resolves with the exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
  kill(signal: NodeJS.Signals): void;
}

/** Runs Node with these arguments as a process of its own, with this environment and nothing else. */
export function startScript(
  args: readonly string[],
  environment: Record<string, string> = {},
): ScriptProcess {
  const child = spawn(process.execPath, args, {
    cwd: '/',
    env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  return {
    pid: child.pid!,
    output: () => output,
    printed: (text) => waitForLine(child, () => output, text),
    ended,
    kill: (signal) => child.kill(signal),
  };
}

function waitForLine(child: ChildProcess, output: () => string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const lines = output().split('\n').slice(0, -1);
      const line = lines.find((candidate) => candidate.includes(text));
      if (line !== undefined) resolve(line);
    };
    look();
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('close', () =>
      reject(new Error(`The process ended before it printed "${text}":\n${output()}`)),
    );
  });
}
