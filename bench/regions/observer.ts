import { readdir, readFile } from 'node:fs/promises';
import { withClient } from '../clusters.js';
import type { BenchRegion } from './backlogs.js';

/** How far a region is, from 0 to 1. */
export interface Progress {
  readonly code: string;
  readonly up: number;
}

/** Positions between which a region's backlog lies. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** How much of each region's backlog central has. */
export async function upProgress(
  central: string,
  stretches: ReadonlyMap<string, Stretch>,
): Promise<Progress[]> {
  const cursors = await withClient(central, async (client) => {
    const { rows } = await client.query<{ origin: string; seq: string }>(
      'SELECT origin, seq FROM replication_cursors',
    );
    return new Map(rows.map(({ origin, seq }) => [origin, Number(seq)]));
  });
  return [...stretches].map(([code, { from, to }]) => ({
    code,
    up: Math.max(0, (cursors.get(code) ?? 0) - from) / Math.max(1, to - from),
  }));
}

/** Entries that wait at central for all regions together. */
export async function pendingDown(central: string, regions: readonly BenchRegion[]): Promise<number> {
  const pending = await Promise.all(
    regions.map(async ({ code, url }) => {
      const applied = await withClient(url, async (client) => {
        const { rows } = await client.query<{ seq: string }>(
          `SELECT seq FROM replication_cursors WHERE origin = 'central'`,
        );
        return Number(rows[0]?.seq ?? 0);
      });
      return withClient(central, async (client) => {
        const { rows } = await client.query<{ pending: number }>(
          'SELECT count(*)::int AS pending FROM deliveries WHERE region = $1 AND seq > $2',
          [code, applied],
        );
        return rows[0]!.pending;
      });
    }),
  );
  return pending.reduce((sum, count) => sum + count, 0);
}

/** The last position that a region's own changes have. */
export function lastOwn(url: string): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ last: string }>(
      'SELECT coalesce(max(j.seq), 0) AS last FROM journal j JOIN node ON node.code = j.origin',
    );
    return Number(rows[0]!.last);
  });
}

/** Resident memory of a process, in MiB. Linux only. */
export async function residentMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1024;
}

/** Memory of a server and its sessions in MiB, with what they share counted once. Linux only. */
export async function serverMemory(postmaster: number): Promise<number> {
  const sizes = await Promise.all((await serverProcesses(postmaster)).map(proportional));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A server and its sessions. Linux only. */
export async function serverProcesses(postmaster: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${postmaster}/task`);
  const children = await readFile(`/proc/${postmaster}/task/${tasks[0]!}/children`, 'utf8');
  return [postmaster, ...children.trim().split(' ').map(Number)];
}

async function proportional(pid: number): Promise<number> {
  try {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)![1]) / 1024;
  } catch (error) {
    // A session that has ended meanwhile.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return 0;
    throw error;
  }
}

/** Throws when a region's patients differ from what central has of them. */
export async function refuseDifference(central: string, { code, url }: BenchRegion): Promise<void> {
  const found = async (at: string) =>
    withClient(at, async (client) => {
      await client.query(`SET TimeZone = 'UTC'`);
      const { rows } = await client.query<{ found: string }>(
        `SELECT count(*) || ' patients, ' || coalesce(sum(hashtextextended(to_jsonb(p)::text, 0)::numeric), 0) AS found
         FROM patients p
         WHERE p.region = '${code}' OR p.id IN (SELECT patient_id FROM hosts WHERE region = '${code}')`,
      );
      return rows[0]!.found;
    });
  const [here, there] = await Promise.all([found(url), found(central)]);
  if (here !== there) throw new Error(`${code} and central differ: ${here} there, ${there} at central`);
}
