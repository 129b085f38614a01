import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { withClient } from './clusters.js';
import { createCentral, createRegion } from './databases.js';
import { MeasuredNode } from './node/measured-node.js';
import { type BenchRegion, makeBacklog, registerPatients, shareAround } from './regions/backlogs.js';
import {
  lastOwn,
  pendingDown,
  type Progress,
  refuseDifference,
  residentMemory,
  serverMemory,
  type Stretch,
  upProgress,
} from './regions/observer.js';
import { type Server, startOwnServer } from './regions/servers.js';
import { count, median, printTable, timed } from './report.js';

/** Many regions come back at once, each with a backlog, and some of their patients are also another region's. */
const { values: options } = parseArgs({
  options: { regions: { type: 'string', default: '20' }, changes: { type: 'string', default: '2000' } },
});
const changes = Number(options.changes);
const SAMPLE_MS = 500;
/** No region may have less than this share of the progress of the fastest. */
const FAIR = 1 / 3;
/** Before the fastest has so much of its own, links are still coming up. */
const UNDER_WAY = 0.2;

interface Sample {
  readonly progress: readonly Progress[];
  /** MiB. */
  readonly node: number;
  readonly central: number;
}

const servers = await Promise.all([startOwnServer(), startOwnServer()]);
try {
  await measure(...servers);
} finally {
  await Promise.all(servers.map((server) => server.stop()));
}

async function measure(ofRegions: Server, ofCentral: Server): Promise<void> {
  const central = await createCentral(ofCentral.url, 'central');
  const regions = await createRegions(ofRegions);
  await inTurns(regions, (region) => registerPatients(region, changes / 4));
  const nodes: MeasuredNode[] = [];
  for (const { code, url } of regions) nodes.push(await MeasuredNode.start(url, central, code));
  try {
    await settled(central, regions);
    await shareAround(central, regions, changes / 20);
    await settled(central, regions);
    await Promise.all(nodes.map((node) => node.ask('setExchange', false)));
    report(await comeBack(central, regions, nodes, ofCentral));
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

async function createRegions(server: Server): Promise<BenchRegion[]> {
  const regions: BenchRegion[] = [];
  for (let nth = 0; nth < Number(options.regions); nth++) {
    const code = `R${String.fromCharCode(65 + Math.floor(nth / 26), 65 + (nth % 26))}`;
    regions.push({ code, url: await createRegion(server.url, `region_${code.toLowerCase()}`, code) });
  }
  return regions;
}

interface Return {
  readonly samples: readonly Sample[];
  readonly upMs: number;
  readonly downMs: number;
  readonly entries: number;
  readonly conflicts: number;
}

async function comeBack(
  central: string,
  regions: readonly BenchRegion[],
  nodes: readonly MeasuredNode[],
  ofCentral: Server,
): Promise<Return> {
  const stretches = new Map<string, Stretch>();
  await inTurns(regions, async (region) => {
    const from = await lastOwn(region.url);
    await makeBacklog(region, changes);
    stretches.set(region.code, { from, to: await lastOwn(region.url) });
  });
  const samples: Sample[] = [];
  const sample = async () => {
    const progress = await upProgress(central, stretches);
    const memory = await Promise.all(nodes.map(({ pid }) => residentMemory(pid)));
    samples.push({ progress, node: Math.max(...memory), central: await serverMemory(ofCentral.pid) });
    return progress.every(({ up }) => up >= 1);
  };
  await sample();
  const { ms: upMs } = await timed(async () => {
    await Promise.all(nodes.map((node) => node.ask('setExchange', true)));
    while (!(await sample())) await pause(SAMPLE_MS);
  });
  const { ms: downMs } = await timed(() => settled(central, regions));
  for (const region of regions) await refuseDifference(central, region);
  const entries = [...stretches.values()].reduce((sum, { from, to }) => sum + to - from, 0);
  return { samples, upMs, downMs, entries, conflicts: await recordedConflicts(central) };
}

/** Nothing is on its way in either direction any more. */
async function settled(central: string, regions: readonly BenchRegion[]): Promise<void> {
  for (;;) {
    const stretches = new Map<string, Stretch>();
    for (const { code, url } of regions) stretches.set(code, { from: 0, to: await lastOwn(url) });
    const progress = await upProgress(central, stretches);
    const isUp = progress.every(({ code, up }) => up >= 1 || stretches.get(code)!.to === 0);
    if (isUp && (await pendingDown(central, regions)) === 0) return;
    await pause(SAMPLE_MS);
  }
}

function recordedConflicts(central: string): Promise<number> {
  return withClient(central, async (client) => {
    const { rows } = await client.query<{ count: number }>('SELECT count(*)::int AS count FROM conflicts');
    return rows[0]!.count;
  });
}

/** Two at a time: there are not more processors. */
async function inTurns(
  regions: readonly BenchRegion[],
  work: (region: BenchRegion) => Promise<void>,
): Promise<void> {
  const left = [...regions];
  const worker = async () => {
    for (let region = left.shift(); region; region = left.shift()) await work(region);
  };
  await Promise.all([worker(), worker()]);
}

function report({ samples, upMs, downMs, entries, conflicts }: Return): void {
  const shares = samples.map(({ progress }) => progress.map(({ up }) => up));
  const underWay = shares.filter((each) => Math.max(...each) >= UNDER_WAY && Math.min(...each) < 1);
  const worst = Math.min(1, ...underWay.map((each) => Math.min(...each) / Math.max(...each)));
  const first = shares.find((each) => Math.max(...each) >= 1) ?? [1];
  printTable(
    ['', ''],
    [
      ['regions', options.regions],
      ['changes in all', count(entries)],
      ['up, entries/s', count((entries / upMs) * 1_000)],
      ['down after that, s', (downMs / 1_000).toFixed(1)],
      ['conflicts recorded', count(conflicts)],
      ['slowest to fastest region, worst', worst.toFixed(2)],
      ['the slowest, when the first was done', Math.min(...first).toFixed(2)],
      ['largest node, MiB: before, median, most', spread(samples.map(({ node }) => node))],
      ['central’s server, MiB: before, median, most', spread(samples.map(({ central }) => central))],
    ],
  );
  if (worst < FAIR) throw new Error(`A region had ${worst.toFixed(2)} of the fastest one's progress`);
}

function spread(values: readonly number[]): string {
  return [values[0]!, median(values), Math.max(...values)].map(count).join(', ');
}
