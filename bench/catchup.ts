import { parseArgs } from 'node:util';
import { makeBacklog } from './backlog.js';
import { type Clusters, startClusters, withClient } from './clusters.js';
import { sessionsCpu } from './cpu-time.js';
import { createCentral, createRegion, dropDatabase } from './databases.js';
import { explainCatchUp } from './explain.js';
import { lastPosition, LogicalReplication } from './logical-replication.js';
import { MeasuredNode } from './node/measured-node.js';
import type { CatchUp } from './node/protocol.js';
import { count, median, printTable, timed } from './report.js';

interface Drained {
  readonly ms: number;
  /** Processor time of every process that took part, in milliseconds. */
  readonly cpu: number;
}

interface Round {
  readonly relay: Drained & Pick<CatchUp, 'memory'>;
  readonly logical: Drained;
}

const { values: options } = parseArgs({
  options: {
    entries: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    explain: { type: 'boolean', default: false },
  },
});
const entries = Number(options.entries);

const clusters = await startClusters();
try {
  if (options.explain) await explain(clusters);
  else await compare(clusters, Number(options.rounds));
} finally {
  await clusters.stop();
}

async function explain(servers: Clusters): Promise<void> {
  const region = await createRegion(servers.region, 'explained');
  await makeBacklog(region, entries);
  await explainCatchUp(region, servers.central);
}

/** Both drain the same backlog to an empty database of their own, and take turns to be first. */
async function compare(servers: Clusters, rounds: number): Promise<void> {
  const results: Round[] = [];
  for (let nth = 1; nth <= rounds; nth++) {
    const result = await round(servers, nth);
    console.log(
      `round ${nth}: relay ${rate(result.relay.ms)}/s, logical replication ${rate(result.logical.ms)}/s`,
    );
    results.push(result);
  }
  report(results);
}

async function round(servers: Clusters, nth: number): Promise<Round> {
  const region = await createRegion(servers.region, `region_${nth}`);
  const [ofRelay, ofLogical] = [
    await createCentral(servers.central, `relay_${nth}`),
    await createCentral(servers.central, `logical_${nth}`),
  ];
  const replication = new LogicalReplication(region, ofLogical, `bench_${nth}`);
  await replication.prepare();
  await makeBacklog(region, entries);
  const last = await withClient(region, lastPosition);

  const logically = () => replicated(replication, region, ofLogical, last);
  const logicalFirst = nth % 2 === 0 ? await logically() : undefined;
  const relay = await relayed(region, ofRelay, last);
  const logical = logicalFirst ?? (await logically());

  await replication.drop();
  await refuseDifference(region, ofRelay);
  await refuseDifference(region, ofLogical);
  for (const url of [region, ofRelay, ofLogical]) await dropDatabase(url);
  return { relay, logical };
}

async function relayed(region: string, central: string, last: number): Promise<Round['relay']> {
  await withClient(region, (client) =>
    client.query(
      `INSERT INTO replication_peers (peer, paused_at, paused_by) VALUES ('central', now(), 'benchmark')`,
    ),
  );
  await checkpoint(region, central);
  const node = await MeasuredNode.start(region, central);
  try {
    const before = await sessionsCpu(region, central);
    const { ms, cpu, memory } = await node.ask('catchUp', last);
    return { ms, cpu: cpu + (await sessionsCpu(region, central)) - before, memory };
  } finally {
    await node.stop();
  }
}

async function replicated(
  replication: LogicalReplication,
  region: string,
  central: string,
  last: number,
): Promise<Drained> {
  await checkpoint(region, central);
  const { ms } = await timed(() => replication.drain(last));
  return { ms, cpu: await sessionsCpu(region, central) };
}

/** So that neither pays for writing out what the making of the backlog has changed. */
async function checkpoint(...urls: string[]): Promise<void> {
  for (const url of urls) await withClient(url, (client) => client.query('CHECKPOINT'));
}

/** A rate counts only when every row arrived as it is. */
async function refuseDifference(region: string, central: string): Promise<void> {
  const [here, there] = await Promise.all([region, central].map((url) => withClient(url, fingerprint)));
  if (here !== there)
    throw new Error(`The copies differ: ${here ?? ''} in the region, ${there ?? ''} at central`);
}

async function fingerprint(client: Parameters<Parameters<typeof withClient>[1]>[0]): Promise<string> {
  await client.query(`SET TimeZone = 'UTC'`);
  const { rows } = await client.query<{ fingerprint: string }>(
    `SELECT (SELECT count(*) FROM journal) || ' entries, ' || count(*) || ' patients, '
            || coalesce(sum(hashtextextended(p::text, 0)::numeric), 0) AS fingerprint FROM patients p`,
  );
  return rows[0]!.fingerprint;
}

function report(results: readonly Round[]): void {
  // Of each round's two, so that what the machine did meanwhile touches both.
  const ratios = results.map(({ relay, logical }) => logical.ms / relay.ms);
  const relay = results.map((result) => result.relay);
  const logical = results.map((result) => result.logical);
  printTable(
    ['technique', 'rounds', 'entries/s, median', 'slowest – fastest', 'ratio', 'CPU ms per 1,000'],
    [line('MedLink, its relay', relay, median(ratios)), line("PostgreSQL's logical replication", logical, 1)],
  );
  const growth = results.map(({ relay: { memory } }) => (memory.highest - memory.before) / 2 ** 20);
  const idle = results.map(({ relay: { memory } }) => memory.before / 2 ** 20);
  console.log(
    `Memory of the node: ${count(median(idle))} MiB idle, at most ${count(Math.max(...growth))} MiB more while it caught up`,
  );
}

function line(technique: string, drained: readonly Drained[], ratio: number): string[] {
  const ms = drained.map((one) => one.ms);
  const cpu = drained.map((one) => (one.cpu / entries) * 1_000);
  const range = `${rate(Math.max(...ms))} – ${rate(Math.min(...ms))}`;
  return [technique, String(ms.length), rate(median(ms)), range, ratio.toFixed(2), count(median(cpu))];
}

function rate(ms: number): string {
  return count((entries / ms) * 1_000);
}
