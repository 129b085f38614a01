import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withClient } from './clusters.js';

/**
 * Stops a server and all of its sessions as they are: its port accepts connections and never answers. Linux only.
 * Gives how to let it go on.
 */
export async function freezeServer(url: string): Promise<() => void> {
  const folder = await withClient(url, async (client) => {
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    return rows[0]!.data_directory;
  });
  const [first] = (await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n');
  const postmaster = Number(first);
  const children = await readFile(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8');
  const processes = [postmaster, ...children.trim().split(' ').map(Number)];
  const signalAll = (name: NodeJS.Signals) => {
    for (const pid of processes) signal(pid, name);
  };
  signalAll('SIGSTOP');
  return () => signalAll('SIGCONT');
}

/** A worker of the server may have ended meanwhile. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
