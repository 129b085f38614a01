import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { EmbeddedError, systemCode } from './embedded-error.js';
import { identify, isSameProcessAlive, type ProcessIdentity } from './process-identity.js';

/** A first start takes seconds; recovery of a large cluster may take longer. */
const PATIENCE_MS = 150_000;
const RETRY_MS = 40;

/**
 * Runs `work` while no other process holds the lock file `path`. A holder that died is passed over. Two
 * processes that start one cluster then do so one after the other; should the lock ever fail, the rename of
 * a whole folder and PostgreSQL's own postmaster.pid still let only one of them through.
 */
export async function withStartLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await acquire(path);
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function acquire(path: string): Promise<void> {
  const mine = `${path}.${randomUUID()}`;
  await writeFile(mine, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  const deadline = Date.now() + PATIENCE_MS;
  try {
    while (!(await claim(mine, path))) {
      const holder = await readHolder(path);
      if (holder && !isSameProcessAlive(holder.identity)) await removeStale(path, holder.text);
      else if (Date.now() > deadline) throw lockedError(path, holder?.identity.pid);
      else await pause(RETRY_MS);
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/** A link appears with its content or not at all, so that nobody reads a lock without a holder. */
async function claim(mine: string, path: string): Promise<boolean> {
  try {
    await link(mine, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function readHolder(path: string): Promise<{ text: string; identity: ProcessIdentity } | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    return { text, identity: JSON.parse(text) as ProcessIdentity };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Of two processes that see a dead holder, the slower must not remove the lock that the faster took. */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== stale) await claim(aside, path);
  await rm(aside, { force: true });
}

const lockedError = (path: string, pid: number | undefined) =>
  new EmbeddedError(
    'LOCKED',
    `Another MedLink (process ${pid ?? 'unknown'}) has been starting this database for too long. ` +
      `Stop it; if there is none, remove ${path}.`,
  );
