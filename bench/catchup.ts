import { parseArgs } from 'node:util';
import { makeBacklog } from './backlog.js';
import { type Clusters, startClusters, withClient } from './clusters.js';
import { createCentral, createRegion, dropDatabase } from './databases.js';
import { explainCatchUp } from './explain.js';
import { lastPosition, LogicalReplication } from './logical-replication.js';
import { MeasuredNode } from './node/measured-node.js';
import type { CatchUp } from './node/protocol.js';
import { count, median, printTable, timed } from './report.js';

interface Round {
  readonly relay: CatchUp;
  readonly logicalMs: number;
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
      `round ${nth}: relay ${rate(result.relay.ms)}/s, logical replication ${rate(result.logicalMs)}/s`,
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

  const logically = async () => (await timed(() => replication.drain(last))).ms;
  const logicalFirst = nth % 2 === 0 ? await logically() : undefined;
  const relay = await relayed(region, ofRelay, last);
  const logicalMs = logicalFirst ?? (await logically());

  await replication.drop();
  await refuseDifference(region, ofRelay);
  await refuseDifference(region, ofLogical);
  for (const url of [region, ofRelay, ofLogical]) await dropDatabase(url);
  return { relay, logicalMs };
}

async function relayed(region: string, central: string, last: number): Promise<CatchUp> {
  await withClient(region, (client) =>
    client.query(
      `INSERT INTO replication_peers (peer, paused_at, paused_by) VALUES ('central', now(), 'benchmark')`,
    ),
  );
  await Promise.all([region, central].map((url) => withClient(url, (client) => client.query('CHECKPOINT'))));
  const node = await MeasuredNode.start(region, central);
  try {
    return await node.ask('catchUp', last);
  } finally {
    await node.stop();
  }
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
  const relay = results.map((result) => result.relay.ms);
  const logical = results.map((result) => result.logicalMs);
  const line = (technique: string, ms: readonly number[], ratio: number) => [
    technique,
    String(ms.length),
    rate(median(ms)),
    `${rate(Math.max(...ms))} – ${rate(Math.min(...ms))}`,
    ratio.toFixed(2),
  ];
  // Of each round's two, so that what the machine did meanwhile touches both.
  const ratios = results.map((result) => result.logicalMs / result.relay.ms);
  printTable(
    ['technique', 'rounds', 'median entries/s', 'slowest – fastest', 'ratio'],
    [line('MedLink, its relay', relay, median(ratios)), line("PostgreSQL's logical replication", logical, 1)],
  );
  const growth = results.map(({ relay: { memory } }) => (memory.highest - memory.before) / 2 ** 20);
  const idle = results.map(({ relay: { memory } }) => memory.before / 2 ** 20);
  console.log(
    `Memory of the node: ${count(median(idle))} MiB idle, at most ${count(Math.max(...growth))} MiB more while it caught up`,
  );
}

function rate(ms: number): string {
  return count((entries / ms) * 1_000);
}
