import { setTimeout as pause } from 'node:timers/promises';
import { withClient } from './clusters.js';
import { type DatabaseUrls, REGION_CODE } from './databases.js';
import { freezeServer } from './frozen-server.js';
import type { HttpCreates } from './load/http-creates.js';
import { type Load, runLoad } from './load/run-load.js';

export interface HungCentral {
  readonly up: readonly Load[];
  readonly hung: readonly Load[];
}

/** Long enough for the relay to have sent something that is not answered. */
const SETTLE_MS = 300;

/** The same load with central up and with central hung, in turns; what has gathered is sent in between. */
export async function measureHungCentral(
  creates: HttpCreates,
  urls: DatabaseUrls,
  { concurrency, rounds, seconds }: { concurrency: number; rounds: number; seconds: number },
): Promise<HungCentral> {
  const measured = { up: [] as Load[], hung: [] as Load[] };
  const load = () => runLoad(concurrency, seconds, () => creates.create());
  const whenUp = async () => measured.up.push(await load());
  const whenHung = async () => {
    const goOn = await freezeServer(urls.central);
    try {
      await pause(SETTLE_MS);
      measured.hung.push(await load());
    } finally {
      goOn();
    }
  };
  for (let round = 0; round < rounds; round++) {
    for (const measure of round % 2 === 0 ? [whenUp, whenHung] : [whenHung, whenUp]) {
      await drained(urls);
      await measure();
    }
  }
  await drained(urls);
  return measured;
}

async function drained({ region, central }: DatabaseUrls): Promise<void> {
  const last = await number(region, 'SELECT max(seq) AS value FROM journal WHERE origin = $1');
  while ((await number(central, 'SELECT seq AS value FROM replication_cursors WHERE origin = $1')) < last)
    await pause(50);
}

function number(url: string, sql: string): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ value: string | null }>(sql, [REGION_CODE]);
    return Number(rows[0]?.value ?? 0);
  });
}
