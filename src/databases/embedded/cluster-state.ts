import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { systemCode } from './embedded-error.js';
import type { ProcessIdentity } from './process-identity.js';

/** What is kept beside a cluster, in a file that only this account can read. */
export interface ClusterState {
  readonly password: string;
  /** Where the server listened last. */
  readonly port?: number;
  /** The process that stops the server when it stops. */
  readonly owner?: ProcessIdentity;
}

export async function readState(file: string): Promise<ClusterState | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ClusterState;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces the file as a whole: a stop in between leaves the old one. */
export async function writeState(file: string, state: ClusterState): Promise<void> {
  const next = `${file}.next`;
  await writeFile(next, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  await rename(next, file);
}

export const newState = (): ClusterState => ({ password: randomBytes(24).toString('base64url') });
