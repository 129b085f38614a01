import { setTimeout as pause } from 'node:timers/promises';
import { withClient } from './clusters.js';
import type { HttpCreates } from './load/http-creates.js';
import { percentile } from './report.js';

const PER_SECOND = 200;
const ARRIVAL_DEADLINE_MS = 10_000;

export interface Lag {
  readonly changes: number;
  /** Milliseconds from the region's commit to central's. */
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
}

/** Creates patients at a steady rate, and compares when the two databases committed each. */
export async function measureLag(
  creates: HttpCreates,
  urls: { region: string; central: string },
  seconds: number,
): Promise<Lag> {
  const ids = await createSteadily(creates, seconds);
  const there = await arrivals(urls.central, ids);
  const here = await commitTimes(urls.region, ids);
  const lags = ids.map((id) => there.get(id)! - here.get(id)!);
  return {
    changes: ids.length,
    median: percentile(lags, 50),
    p99: percentile(lags, 99),
    longest: Math.max(...lags),
  };
}

/** Does not wait for an answer before it sends the next: a slow one must not lower the rate. */
async function createSteadily(creates: HttpCreates, seconds: number): Promise<string[]> {
  const sent: Promise<string>[] = [];
  const began = performance.now();
  while (sent.length < PER_SECOND * seconds) {
    const due = Math.floor(((performance.now() - began) / 1_000) * PER_SECOND) + 1;
    while (sent.length < Math.min(due, PER_SECOND * seconds)) sent.push(creates.create());
    await pause(1);
  }
  return Promise.all(sent);
}

async function arrivals(central: string, ids: readonly string[]): Promise<Map<string, number>> {
  const deadline = Date.now() + ARRIVAL_DEADLINE_MS;
  for (;;) {
    const there = await commitTimes(central, ids);
    if (there.size === ids.length) return there;
    if (Date.now() > deadline)
      throw new Error(`${ids.length - there.size} patients have not reached central`);
    await pause(100);
  }
}

/** When the transaction that made each row committed, in milliseconds. Needs `track_commit_timestamp`. */
function commitTimes(url: string, ids: readonly string[]): Promise<Map<string, number>> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ id: string; at: number }>(
      `SELECT id, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000)::float8 AS at
       FROM patients WHERE id = ANY($1)`,
      [ids],
    );
    return new Map(rows.map(({ id, at }) => [id, at]));
  });
}
