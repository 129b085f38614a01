import { readFile } from 'node:fs/promises';
import { withClient } from './clusters.js';

/**
 * Processor time that the sessions of databases have used so far, in milliseconds. Says what work costs on a
 * machine that others use too, where a clock does not. NaN where the kernel does not tell (Linux does).
 */
export async function sessionsCpu(...urls: readonly string[]): Promise<number> {
  const times = await Promise.all(urls.map(sessionsCpuOf));
  return times.reduce((total, ms) => total + ms, 0);
}

async function sessionsCpuOf(url: string): Promise<number> {
  const pids = await withClient(url, async (client) => {
    const { rows } = await client.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker'`,
    );
    return rows.map(({ pid }) => pid);
  });
  const times = await Promise.all(pids.map(sessionCpu));
  return times.reduce((sum, ms) => sum + ms, 0);
}

/** A session may have ended since it was listed. */
async function sessionCpu(pid: number): Promise<number> {
  try {
    return await processCpu(pid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/** Processor time of one process, in milliseconds. */
export async function processCpu(pid: number): Promise<number> {
  if (process.platform !== 'linux') return NaN;
  const [nanoseconds] = (await readFile(`/proc/${pid}/schedstat`, 'latin1')).split(' ');
  return Number(nanoseconds) / 1e6;
}
