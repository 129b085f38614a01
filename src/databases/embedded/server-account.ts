import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EmbeddedError, systemCode } from './embedded-error.js';

const run = promisify(execFile);

/** The operating-system account that PostgreSQL runs as. */
export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root. Answers `undefined` when this process is not root (PostgreSQL then
 * runs as the same account), else an unprivileged account: `postgres`, or one made for the purpose, or
 * `nobody` where accounts cannot be made.
 */
export async function serverAccount(): Promise<ServerAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const account = (await lookUp('postgres')) ?? (await create('medlink')) ?? (await lookUp('nobody'));
  if (account) return account;
  throw new EmbeddedError(
    'NO_ACCOUNT',
    'PostgreSQL does not run as root, and no other account could be found or made. ' +
      'Run MedLink as an ordinary user, or add an account called "postgres".',
  );
}

async function lookUp(name: string): Promise<ServerAccount | undefined> {
  const [uid, gid] = await Promise.all([id('-u', name), id('-g', name)]);
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

async function id(flag: string, name: string): Promise<number | undefined> {
  const output = await answerOf('id', [flag, name]);
  return output === undefined ? undefined : Number(output);
}

/** Debian and Red Hat have useradd, Alpine has adduser. */
async function create(name: string): Promise<ServerAccount | undefined> {
  const shell = '/usr/sbin/nologin';
  await answerOf('useradd', ['--system', '--user-group', '--no-create-home', '--shell', shell, name]);
  const made = await lookUp(name);
  if (made) return made;
  await answerOf('adduser', ['-S', '-D', '-H', '-s', shell, name]);
  return lookUp(name);
}

/** What the program printed; `undefined` when it is not there or says no. */
async function answerOf(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await run(program, args);
    return stdout.trim();
  } catch (error) {
    const saidNo = typeof (error as { code?: unknown }).code === 'number';
    if (saidNo || systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
