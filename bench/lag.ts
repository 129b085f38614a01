import { setTimeout as pause } from 'node:timers/promises';
import { withClient } from './clusters.js';
import type { DatabaseUrls } from './databases.js';
import type { HttpCreates } from './load/http-creates.js';
import { percentile } from './report.js';

const PER_SECOND = 200;
const ARRIVAL_DEADLINE_MS = 30_000;

export interface Lag {
  readonly changes: number;
  /** Milliseconds from the region's commit to central's. */
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
}

/** Creates patients at a steady rate, and compares when the two databases committed each. */
export async function measureLag(creates: HttpCreates, urls: DatabaseUrls, seconds: number): Promise<Lag> {
  const ids = await createSteadily(creates, seconds);
  const there = await arrivals(urls, ids);
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

async function arrivals(urls: DatabaseUrls, ids: readonly string[]): Promise<Map<string, number>> {
  const deadline = Date.now() + ARRIVAL_DEADLINE_MS;
  for (;;) {
    const there = await commitTimes(urls.central, ids);
    if (there.size === ids.length) return there;
    if (Date.now() > deadline)
      throw new Error(
        await whereTheyAre(
          urls,
          ids.filter((id) => !there.has(id)),
        ),
      );
    await pause(100);
  }
}

/** Tells a relay that is late from one that has passed changes over, and from changes that were not captured. */
async function whereTheyAre({ region, central }: DatabaseUrls, missing: readonly string[]): Promise<string> {
  const journaled = await withClient(region, async (client) => {
    const { rows } = await client.query<{ seq: string }>(
      'SELECT seq FROM journal WHERE entity_id = ANY($1) ORDER BY seq',
      [missing],
    );
    return rows.map(({ seq }) => seq);
  });
  const cursors = await withClient(central, async (client) => {
    const { rows } = await client.query<{ seq: string }>('SELECT seq FROM replication_cursors');
    return rows.map(({ seq }) => seq);
  });
  return (
    `${missing.length} patients have not reached central. The region's journal has ${journaled.length} of them, ` +
    `at ${journaled.join(', ')}; central has it through ${cursors.join()}.`
  );
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
