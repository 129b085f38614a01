import { readlink } from 'node:fs/promises';
import pg from 'pg';
import { systemCode } from './embedded-error.js';
import { SUPERUSER } from './initdb.js';
import { isAlive } from './process-identity.js';

/** The application's database in each embedded cluster. */
const DATABASE = 'medlink';
const ANSWER_TIMEOUT_MS = 5_000;

export interface ServerAddress {
  readonly port: number;
  readonly password: string;
}

export function urlOf({ port, password }: ServerAddress, database = DATABASE): string {
  return `postgresql://${SUPERUSER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

/**
 * Whether the process is the server of `folder`: an id in a file that a crash left behind may by now be
 * any other program's. A server works in its own folder, and Linux tells.
 */
export async function isServerOf(folder: string, pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false;
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === folder;
  } catch (error) {
    const code = systemCode(error) ?? '';
    // Without /proc (macOS), or without the right to look, alive must do.
    if (code === 'EACCES') return true;
    if (code === 'ENOENT') return process.platform !== 'linux';
    throw error;
  }
}

/**
 * Asks the server who it is and makes the application's database if it is not there. False when what
 * listens is not the server of `folder`. Rejects when it does not answer or the password is wrong.
 */
export async function greet(address: ServerAddress, folder: string): Promise<boolean> {
  const client = new pg.Client({
    connectionString: urlOf(address, 'postgres'),
    connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
  });
  try {
    await client.connect();
    const { rows } = await client.query<{ folder: string; made: boolean }>(
      `SELECT current_setting('data_directory') AS folder,
              EXISTS (SELECT FROM pg_database WHERE datname = $1) AS made`,
      [DATABASE],
    );
    if (rows[0]?.folder !== folder) return false;
    if (!rows[0].made) await client.query(`CREATE DATABASE ${DATABASE}`);
    return true;
  } finally {
    await client.end();
  }
}
