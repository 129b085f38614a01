import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startClusters } from './clusters.js';
import { sessionsCpu } from './cpu-time.js';
import { createCentral, createRegion, dropDatabase } from './databases.js';
import { manyPatients } from './load/many-patients.js';
import { MeasuredNode } from './node/measured-node.js';
import { count, median, percentile, printTable } from './report.js';

/** How often somebody looks up a patient while the import runs, in milliseconds. */
const LOOK_UP_EVERY_MS = 100;

interface Imported {
  readonly perSecond: number;
  /** Processor time for 1,000 patients, in milliseconds. */
  readonly nodeCpu: number;
  readonly regionCpu: number;
  /** Milliseconds that `GET /patients` took meanwhile. */
  readonly lookUps: readonly number[];
  /** Resident memory of the node, in MiB: before, and the highest seen. */
  readonly memory: { readonly before: number; readonly highest: number };
}

const { values: options } = parseArgs({
  options: {
    times: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '5' },
    relay: { type: 'boolean', default: false },
  },
});
const { ndjson, patients } = await manyPatients(Number(options.times));
const clusters = await startClusters();
try {
  const rounds: Imported[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    const imported = await measure(`import_${String(round)}`);
    rounds.push(imported);
    console.error(JSON.stringify({ ...imported, lookUps: percentile(imported.lookUps, 99) }));
  }
  report(rounds);
} finally {
  await clusters.stop();
}

/** One import into new databases. Without `--relay` nothing is sent to central meanwhile. */
async function measure(name: string): Promise<Imported> {
  const region = await createRegion(clusters.region, name);
  const central = await createCentral(clusters.central, name);
  const node = await MeasuredNode.start(region, central);
  try {
    const token = await node.ask('accessToken');
    if (!options.relay) await pauseRelay(node, token);
    const cpu = { node: await node.ask('cpu'), region: await sessionsCpu(region) };
    const before = await residentMemory(node);
    const ended = new AbortController();
    const watched = watch(node, token, ended.signal);
    const ms = await runImport(node, token);
    ended.abort();
    const { lookUps, highest } = await watched;
    return {
      perSecond: patients / (ms / 1000),
      nodeCpu: perThousand((await node.ask('cpu')) - cpu.node),
      regionCpu: perThousand((await sessionsCpu(region)) - cpu.region),
      lookUps,
      memory: { before, highest },
    };
  } finally {
    await node.stop();
    await dropDatabase(region);
    await dropDatabase(central);
  }
}

async function pauseRelay(node: MeasuredNode, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${node.url}/api/v1/sync/pause`, { method: 'POST', headers });
  if (!answer.ok) throw new Error(`POST /sync/pause: ${String(answer.status)}`);
}

/** From the first line that is read to the last commit, in milliseconds, as the import's own record has it. */
async function runImport(node: MeasuredNode, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+ndjson' };
  const sent = await fetch(`${node.url}/api/v1/imports`, { method: 'POST', headers, body: ndjson });
  const { id } = (await sent.json()) as { id: string };
  for (;;) {
    const answer = await fetch(`${node.url}/api/v1/imports/${id}`, { headers });
    const run = (await answer.json()) as {
      state: string;
      created: number;
      startedAt: string;
      finishedAt: string;
    };
    if (run.state === 'done' && run.created === patients)
      return Date.parse(run.finishedAt) - Date.parse(run.startedAt);
    if (run.state === 'done' || run.state === 'failed')
      throw new Error(`Not imported: ${JSON.stringify(run)}`);
    await pause(200);
  }
}

/** Somebody who looks patients up while the import runs. */
async function watch(node: MeasuredNode, token: string, ended: AbortSignal) {
  const lookUps: number[] = [];
  let highest = 0;
  while (!ended.aborted) {
    const began = performance.now();
    const answer = await fetch(`${node.url}/api/v1/patients?familyName=goldner&limit=5`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await answer.arrayBuffer();
    lookUps.push(performance.now() - began);
    highest = Math.max(highest, await residentMemory(node));
    await pause(LOOK_UP_EVERY_MS);
  }
  return { lookUps, highest };
}

async function residentMemory(node: MeasuredNode): Promise<number> {
  return Math.round((await node.ask('memory')) / 1024 / 1024);
}

function perThousand(ms: number): number {
  return (ms / patients) * 1000;
}

function report(rounds: readonly Imported[]): void {
  const rates = rounds.map(({ perSecond }) => perSecond);
  const figure = (of: (imported: Imported) => number) => median(rounds.map(of)).toFixed(0);
  printTable(
    ['patients/s, median', 'slowest – fastest', 'node CPU ms per 1,000', 'region CPU ms per 1,000'],
    [
      [
        count(median(rates)),
        `${count(Math.min(...rates))} – ${count(Math.max(...rates))}`,
        figure(({ nodeCpu }) => nodeCpu),
        figure(({ regionCpu }) => regionCpu),
      ],
    ],
  );
  const lookUps = rounds.flatMap((round) => round.lookUps);
  printTable(
    ['look-up meanwhile, median ms', 'p99 ms', 'longest ms', 'memory before, MiB', 'highest, MiB'],
    [
      [
        median(lookUps).toFixed(1),
        percentile(lookUps, 99).toFixed(1),
        Math.max(...lookUps).toFixed(1),
        figure(({ memory }) => memory.before),
        figure(({ memory }) => memory.highest),
      ],
    ],
  );
}
