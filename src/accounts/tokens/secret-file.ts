import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * The secret kept at `path`, made by `make` when there is none. Two processes that start at once end
 * with the same one: the file appears whole, under its name, or not at all.
 */
export async function readOrCreateSecret(path: string, make: () => string): Promise<string> {
  const kept = await readSecret(path);
  if (kept === '') throw new Error(`${path} is empty; delete it, and a new secret is made`);
  if (kept !== undefined) return kept;
  const secret = make();
  return (await placeOnce(path, secret)) ? secret : readFile(path, 'utf8');
}

async function readSecret(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** False when another process was first. */
async function placeOnce(path: string, secret: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, secret, { mode: 0o600, flush: true });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(draft);
  }
}

function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
