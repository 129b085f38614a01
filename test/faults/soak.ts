import { parseArgs } from 'node:util';
import { startTestCluster } from '../harness/test-cluster.js';
import { runOfProcesses, SHORT_RUN } from './kinds.js';
import { firstSeed } from './random.js';
import { type RunReport, runSeed } from './run.js';

/** One run in so many is made with processes that are killed; it takes several times as long. */
const PROCESSES_EVERY = 5;

const USAGE = 'npm run soak -- [--minutes N] [--seed S] [--runs N]';

/** Runs on for as long as it is told to, and says what happened. Exits with 1 when an invariant was broken. */
async function main(): Promise<void> {
  const { minutes, seed, runs } = options();
  const cluster = await startTestCluster();
  process.env.MEDLINK_TEST_CLUSTER_URL = cluster.url;
  const end = Date.now() + minutes * 60_000;
  const tally = new Tally();
  for (let nth = 0; nth < runs && Date.now() < end; nth++) {
    const isOfProcesses = nth % PROCESSES_EVERY === PROCESSES_EVERY - 1;
    tally.add(seed + nth, await outcomeOf(seed + nth, isOfProcesses));
  }
  tally.print();
  await cluster.stop();
  process.exit(tally.broken.length > 0 ? 1 : 0);
}

/** A run that cannot be judged has failed too. */
async function outcomeOf(seed: number, isOfProcesses: boolean): Promise<RunReport | Error> {
  try {
    return await (isOfProcesses ? runSeed(seed, runOfProcesses()) : runSeed(seed, SHORT_RUN));
  } catch (error) {
    return error as Error;
  }
}

class Tally {
  readonly broken: number[] = [];
  private readonly seeds: number[] = [];
  private readonly writes = { acknowledged: 0, refused: 0, unknown: 0 };
  private readonly faults = new Map<string, number>();

  add(seed: number, outcome: RunReport | Error): void {
    this.seeds.push(seed);
    if (outcome instanceof Error) return this.break(seed, outcome.stack);
    for (const kind of ['acknowledged', 'refused', 'unknown'] as const) this.writes[kind] += outcome[kind];
    for (const fault of outcome.faults) this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1);
    const { verdict } = outcome;
    if (Object.keys(verdict).length > 0)
      this.break(seed, JSON.stringify({ faults: outcome.faults, verdict }, null, 2));
  }

  print(): void {
    const { seeds, writes, faults, broken } = this;
    const happened = [...faults].sort(([, one], [, other]) => other - one);
    console.info(`Runs: ${seeds.length}, seeds ${seeds[0]} to ${seeds.at(-1)}`);
    console.info(
      `Writes: ${writes.acknowledged} acknowledged, ${writes.refused} refused, ${writes.unknown} unknown`,
    );
    console.info(`Faults:\n${happened.map(([name, times]) => `  ${times} × ${name}`).join('\n')}`);
    console.info(broken.length === 0 ? 'Every invariant held.' : `Broken with seeds ${broken.join(', ')}`);
  }

  private break(seed: number, what: string | undefined): void {
    this.broken.push(seed);
    console.error(`Seed ${seed}: ${what ?? 'no reason was given'}`);
  }
}

function options(): { minutes: number; seed: number; runs: number } {
  const { values } = parseArgs({
    options: { minutes: { type: 'string' }, seed: { type: 'string' }, runs: { type: 'string' } },
  });
  const given = {
    minutes: Number(values.minutes ?? (values.runs === undefined ? 10 : Infinity)),
    seed: Number(values.seed ?? firstSeed()),
    runs: Number(values.runs ?? Infinity),
  };
  if (Object.values(given).some(Number.isNaN)) throw new Error(USAGE);
  return given;
}

await main();
