import { spawn } from 'node:child_process';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Binaries } from './binaries.js';
import { EmbeddedError } from './embedded-error.js';
import type { ServerAccount } from './server-account.js';

/** The superuser of every embedded cluster. */
export const SUPERUSER = 'medlink';

/**
 * The built-in C.UTF-8 locale sorts and folds case alike on every machine, whatever locales it has, and an
 * upgrade of the system's libraries cannot corrupt an index.
 */
const LOCALE = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];

export interface NewCluster {
  /** Made by initdb; its parent must be writable for `account`. */
  readonly folder: string;
  readonly password: string;
  readonly account: ServerAccount | undefined;
  /** More flags for initdb. */
  readonly flags?: readonly string[];
}

/** Makes a new cluster in `folder`. Throws `INIT_FAILED` with what initdb said. */
export async function initdb(binaries: Binaries, cluster: NewCluster): Promise<void> {
  const secrets = await mkdtemp(join(tmpdir(), 'medlink-'));
  try {
    const passwordFile = join(secrets, 'password');
    await writeFile(passwordFile, `${cluster.password}\n`, { mode: 0o600 });
    for (const path of [passwordFile, secrets]) {
      if (cluster.account) await chown(path, cluster.account.uid, cluster.account.gid);
    }
    await run(binaries, cluster, passwordFile);
  } finally {
    await rm(secrets, { recursive: true, force: true });
  }
}

function run(
  binaries: Binaries,
  { folder, account, flags }: NewCluster,
  passwordFile: string,
): Promise<void> {
  const authentication = ['--auth=scram-sha-256', `--username=${SUPERUSER}`, `--pwfile=${passwordFile}`];
  const child = spawn(
    binaries.initdb,
    [`--pgdata=${folder}`, ...authentication, ...LOCALE, ...(flags ?? [])],
    {
      ...account,
      cwd: '/',
      env: { LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      reject(new EmbeddedError('INIT_FAILED', `initdb could not be run: ${error.message}`, { cause: error }));
    });
    child.on('close', (code, signal) => {
      if (code === 0) return resolve();
      reject(new EmbeddedError('INIT_FAILED', `initdb failed (${signal ?? String(code)}): ${words.trim()}`));
    });
  });
}
