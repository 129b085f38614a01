import { randomUUID } from 'node:crypto';
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Binaries, SYSTEM_FOLDER } from './binaries.js';
import { EmbeddedError, systemCode } from './embedded-error.js';
import { canEnter } from './entry.js';
import { initdb } from './initdb.js';
import type { ServerAccount } from './server-account.js';

/** Makes the data directory. The server's account may pass through it, and nobody but ours may list it. */
export async function makeDataDir(dataDir: string, account: ServerAccount | undefined): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: account ? 0o711 : 0o700 });
  } catch (error) {
    throw permissionError(dataDir, error);
  }
}

/** The folder with the cluster's files; `undefined` when it has not been made yet. */
export async function existingFolder(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw permissionError(path, error);
  }
}

/** Refuses files of another major version. */
export async function refuseOtherVersion(folder: string, { major }: Binaries): Promise<void> {
  const found = await readVersion(folder);
  if (found === major) return;
  throw new EmbeddedError(
    'OTHER_MAJOR_VERSION',
    `${folder} was made by PostgreSQL ${found}, and MedLink brings PostgreSQL ${major}. With the MedLink that made ` +
      `it, save the data with pg_dump; then move the folder away, start this MedLink, and load it with pg_restore.`,
  );
}

async function readVersion(folder: string): Promise<string> {
  try {
    return (await readFile(join(folder, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'of an unknown version';
    throw permissionError(folder, error);
  }
}

/** Who owns the files, and so must run their server. */
export async function accountOf(
  folder: string,
  account: ServerAccount | undefined,
): Promise<ServerAccount | undefined> {
  const { uid, gid } = await stat(folder);
  if (process.getuid === undefined || uid === process.getuid()) {
    if (account && uid === 0) throw permissionError(folder, new Error('it belongs to root'));
    return undefined;
  }
  if (!account) throw permissionError(folder, new Error(`it belongs to the account number ${uid}`));
  return { uid, gid };
}

/**
 * Makes a new cluster that appears at `path` whole or not at all: initdb works in a folder of another
 * name. Where root keeps its project in a folder that the server's account cannot enter, such as /root,
 * the files lie under /var/lib/medlink and `path` is a link to them.
 */
export async function createCluster(
  binaries: Binaries,
  path: string,
  password: string,
  account: ServerAccount | undefined,
): Promise<string> {
  const place = await placeFor(path, account);
  const unfinished = `${place}.new-${randomUUID()}`;
  try {
    await removeUnfinished(place);
    await mkdir(unfinished, { mode: 0o700 });
    if (account) await chown(unfinished, account.uid, account.gid);
  } catch (error) {
    throw permissionError(dirname(place), error);
  }
  try {
    await initdb(binaries, { folder: unfinished, password, account });
    await rename(unfinished, place);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  if (place !== path) await symlink(place, path);
  return realpath(path);
}

async function placeFor(path: string, account: ServerAccount | undefined): Promise<string> {
  if (await canEnter(dirname(await realpath(dirname(path))), account)) {
    const own = dirname(path);
    // A data directory that was there before, made for its owner alone.
    if (!(await canEnter(own, account))) await chmod(own, 0o711);
    return path;
  }
  const folder = join(SYSTEM_FOLDER, randomUUID());
  await mkdir(folder, { recursive: true, mode: 0o711 });
  return join(folder, basename(path));
}

/** What an earlier start left when it was stopped in the middle. */
async function removeUnfinished(place: string): Promise<void> {
  const parent = dirname(place);
  for (const name of await readdir(parent)) {
    if (!name.startsWith(`${basename(place)}.new-`)) continue;
    await rm(join(parent, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

function permissionError(path: string, cause: unknown): EmbeddedError {
  const words = cause instanceof Error ? cause.message : String(cause);
  return new EmbeddedError(
    'DATA_DIR_PERMISSION',
    `The data directory cannot be used: ${words}. Let the account that runs MedLink own ${path} ` +
      'and everything in it, or set MEDLINK_DATA_DIR to a folder of its own.',
    { cause },
  );
}
