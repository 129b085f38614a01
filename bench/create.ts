import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startClusters } from './clusters.js';
import { sessionsCpu } from './cpu-time.js';
import { createCentral, createRegion, type DatabaseUrls, REGION_CODE } from './databases.js';
import { type HungCentral, measureHungCentral } from './hung-central.js';
import { type Lag, measureLag } from './lag.js';
import { DirectInserts } from './load/direct-inserts.js';
import { HttpCreates } from './load/http-creates.js';
import { type Load, runLoad } from './load/run-load.js';
import { MeasuredNode } from './node/measured-node.js';
import { count, median, printTable } from './report.js';

const CONCURRENCIES = [1, 4, 20];
const WARM_UP_SECONDS = 3;
/** After replication is switched, for what was under way. */
const SETTLE_MS = 300;

const VARIANTS = {
  shipped: 'POST, as shipped',
  alone: 'POST, no capture, no relay',
  insert: 'one prepared INSERT, no HTTP',
  dual: 'the INSERT awaited on both databases, no HTTP',
} as const;
type Variant = keyof typeof VARIANTS;
const POSTS: readonly Variant[] = ['shipped', 'alone'];

/** With the processor time per create of the node and of its two databases' sessions, in milliseconds. */
type Measured = Record<Variant, (Load & { readonly cpu: number })[]>;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '0.8' },
    'lag-seconds': { type: 'string', default: '20' },
  },
});
const seconds = Number(options.seconds);

const clusters = await startClusters();
try {
  const urls = {
    region: await createRegion(clusters.region, 'create'),
    central: await createCentral(clusters.central, 'create'),
  };
  const node = await MeasuredNode.start(urls.region, urls.central);
  try {
    for (const concurrency of CONCURRENCIES) {
      report(concurrency, await measure(node, urls, concurrency));
    }
    for (const concurrency of CONCURRENCIES) {
      const load = { concurrency, rounds: Number(options.rounds), seconds };
      const work = (creates: HttpCreates) => measureHungCentral(creates, urls, load);
      reportHung(concurrency, await withCreates(node, concurrency, work));
    }
    reportLag(
      await withCreates(node, 20, (creates) => measureLag(creates, urls, Number(options['lag-seconds']))),
    );
  } finally {
    await node.stop();
  }
} finally {
  await clusters.stop();
}

/** Every round measures all variants one after the other: what the machine does meanwhile touches all. */
async function measure(node: MeasuredNode, urls: DatabaseUrls, concurrency: number): Promise<Measured> {
  const one = await DirectInserts.open([urls.region], concurrency);
  const both = await DirectInserts.open([urls.region, urls.central], concurrency);
  const measured: Measured = { shipped: [], alone: [], insert: [], dual: [] };
  const load = async (variant: Variant, work: (loop: number) => Promise<unknown>) => {
    const spent = async () => (await node.ask('cpu')) + (await sessionsCpu(urls.region, urls.central));
    const before = await spent();
    const result = await runLoad(concurrency, seconds, work);
    measured[variant].push({ ...result, cpu: ((await spent()) - before) / result.count });
  };
  await withCreates(node, concurrency, async (creates) => {
    await runLoad(concurrency, WARM_UP_SECONDS, () => creates.create());
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const variant of round % 2 === 0 ? POSTS : POSTS.toReversed()) {
        await node.ask('setReplication', variant === 'shipped');
        await pause(SETTLE_MS);
        await load(variant, () => creates.create());
      }
      await load('insert', (loop) => one.insert(loop));
      await load('dual', (loop) => both.insert(loop));
    }
    await node.ask('setReplication', true);
  });
  await Promise.all([one.close(), both.close()]);
  return measured;
}

async function withCreates<T>(
  node: MeasuredNode,
  concurrency: number,
  work: (creates: HttpCreates) => Promise<T>,
): Promise<T> {
  const creates = await HttpCreates.signIn(node.url, await node.ask('accessToken'), REGION_CODE, concurrency);
  try {
    return await work(creates);
  } finally {
    creates.close();
  }
}

function report(concurrency: number, measured: Measured): void {
  console.log(
    `${concurrency} at a time, ${options.rounds} rounds of ${options.seconds} s, medians of the rounds`,
  );
  const rows = Object.entries(VARIANTS).map(([variant, name]) => {
    const loads = measured[variant as Variant];
    const ratios = loads.map((load, round) => load.median / measured.alone[round]!.median);
    return [
      name,
      median(loads.map((load) => load.median)).toFixed(2),
      median(loads.map((load) => load.p99)).toFixed(2),
      count(median(loads.map((load) => load.perSecond))),
      median(ratios).toFixed(2),
      median(loads.map((load) => load.cpu)).toFixed(2),
    ];
  });
  printTable(['variant', 'median ms', 'p99 ms', 'per second', 'ratio of medians', 'CPU ms per create'], rows);
}

function reportHung(concurrency: number, { up, hung }: HungCentral): void {
  const ratios = hung.map((load, round) => load.median / up[round]!.median);
  console.log(
    `${concurrency} at a time, central hung against central up: ratio of medians ${median(ratios).toFixed(2)} ` +
      `(${median(hung.map((load) => load.median)).toFixed(2)} ms against ${median(up.map((load) => load.median)).toFixed(2)} ms)`,
  );
}

function reportLag({ changes, median: half, p99, longest }: Lag): void {
  console.log(
    `Region's commit to central's, ${count(changes)} creates at 200 a second: ` +
      `median ${half.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, longest ${longest.toFixed(1)} ms`,
  );
}
