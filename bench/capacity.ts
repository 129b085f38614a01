import { constants, setPriority } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeBacklog } from './backlog.js';
import { startClusters, withClient } from './clusters.js';
import { createCentral, createRegion, type DatabaseUrls, REGION_CODE } from './databases.js';
import { HttpCreates } from './load/http-creates.js';
import { lastPosition } from './logical-replication.js';
import { MeasuredNode } from './node/measured-node.js';
import { residentMemory, serverProcesses } from './regions/observer.js';
import { count, percentile, printTable } from './report.js';

/** A region comes back after weeks: what that asks of its node, and what its clinicians and administrators notice. */
const { values: options } = parseArgs({
  options: {
    entries: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '10' },
    'central-apart': { type: 'boolean', default: false },
  },
});
const entries = Number(options.entries);
const seconds = Number(options.seconds);

const SAMPLE_MS = 50;
/** Between two patients: many for a region, and little for the machine. */
const CREATE_EVERY_MS = 50;
/** Of the backlog, when the forecast is looked at. */
const LOOKS = [0.1, 0.25, 0.5, 0.75];

interface Look {
  /** From 0 to 1. */
  readonly done: number;
  readonly ms: number;
  /** How long it was said to take from then on. */
  readonly forecastMs: number;
}

const clusters = await startClusters();
try {
  if (options['central-apart']) await giveWay(clusters.central);
  const urls = {
    region: await createRegion(clusters.region, 'capacity'),
    central: await createCentral(clusters.central, 'capacity'),
  };
  const node = await MeasuredNode.start(urls.region, urls.central);
  try {
    await measure(node, urls);
  } finally {
    await node.stop();
  }
} finally {
  await clusters.stop();
}

interface Outcome {
  /** Milliseconds that registering a patient took: with nothing waiting, while the backlog waits, and while it is sent. */
  readonly idle: number[];
  readonly waiting: number[];
  readonly sending: number[];
  readonly ms: number;
  readonly looks: readonly Look[];
  /** The most that the node had in memory before there was a backlog, and all told. MiB. */
  readonly idleMemory: number;
  readonly highest: number;
}

/** A server's processes only get what nobody else wants of the processors, as if it had a machine of its own. */
async function giveWay(url: string): Promise<void> {
  const postmaster = await withClient(url, async (client) => {
    const { rows } = await client.query<{ pid: number }>(
      `SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int AS pid`,
    );
    return rows[0]!.pid;
  });
  for (const pid of await serverProcesses(postmaster)) setPriority(pid, constants.priority.PRIORITY_LOW);
}

async function measure(node: MeasuredNode, urls: DatabaseUrls): Promise<void> {
  const token = await node.ask('accessToken');
  const creates = await HttpCreates.signIn(node.url, token, REGION_CODE, 1);
  const forAWhile = () => latencies(creates, pause(seconds * 1_000));
  await forAWhile();
  const memory = watchMemory(node.pid);
  const idle = await forAWhile();
  const idleMemory = memory.highest;
  await node.ask('setExchange', false);
  await makeBacklog(urls.region, entries);
  const waiting = await forAWhile();
  const last = await withClient(urls.region, lastPosition);
  await node.ask('setExchange', true);
  const sent = watchProgress(node.url, token, urls.central, last);
  const sending = await latencies(creates, sent);
  const { ms, looks } = await sent;
  memory.stop();
  creates.close();
  report({ idle, waiting, sending, ms, looks, idleMemory, highest: memory.highest });
}

/** One patient after the other, until `end`. */
async function latencies(creates: HttpCreates, end: Promise<unknown>): Promise<number[]> {
  const taken: number[] = [];
  let isOver = false;
  const over = end.finally(() => (isOver = true));
  while (!isOver) {
    const began = performance.now();
    await creates.create();
    taken.push(performance.now() - began);
    await pause(Math.max(0, CREATE_EVERY_MS - taken.at(-1)!));
  }
  await over;
  return taken;
}

function watchMemory(pid: number) {
  const watch = { highest: 0, stop: () => clearInterval(timer) };
  const timer = setInterval(() => {
    void residentMemory(pid).then((mebibytes) => (watch.highest = Math.max(watch.highest, mebibytes)));
  }, SAMPLE_MS);
  return watch;
}

async function watchProgress(url: string, token: string, central: string, last: number) {
  const began = performance.now();
  const looks: Look[] = [];
  return withClient(central, async (client) => {
    const position = async () => {
      const { rows } = await client.query<{ seq: string }>(
        'SELECT seq FROM replication_cursors WHERE origin = $1',
        [REGION_CODE],
      );
      return Number(rows[0]?.seq ?? 0);
    };
    const first = await position();
    for (;;) {
      const done = ((await position()) - first) / (last - first);
      const ms = performance.now() - began;
      if (done >= 1) return { ms, looks };
      if (done >= (LOOKS[looks.length] ?? Infinity))
        looks.push({ done, ms, forecastMs: (await drainSeconds(url, token)) * 1_000 });
      await pause(SAMPLE_MS);
    }
  });
}

async function drainSeconds(url: string, token: string): Promise<number> {
  const answer = await fetch(`${url}/api/v1/sync/status`, { headers: { authorization: `Bearer ${token}` } });
  const { uplink } = (await answer.json()) as { uplink: { drainSeconds: number | null } };
  return uplink.drainSeconds ?? NaN;
}

function report({ idle, waiting, sending, ms, looks, idleMemory, highest }: Outcome): void {
  const latency = (taken: readonly number[]) =>
    `${percentile(taken, 50).toFixed(1)}, ${percentile(taken, 99).toFixed(1)} (${count(taken.length)})`;
  const forecasts = looks.map(
    (look) =>
      `${(look.done * 100).toFixed(0)} %: ${(look.forecastMs / 1_000).toFixed(0)}, was ${((ms - look.ms) / 1_000).toFixed(0)}`,
  );
  printTable(
    ['', ''],
    [
      ['entries', count(entries)],
      ['sent, entries/s', count((entries / ms) * 1_000)],
      ['node, MiB: idle, most', `${count(idleMemory)}, ${count(highest)}`],
      ['POST, ms: median, p99 (count), nothing waiting', latency(idle)],
      ['… while the backlog waits', latency(waiting)],
      ['… while it is sent', latency(sending)],
      ['forecast, s: done, told, true', forecasts.join(' · ')],
    ],
  );
}
