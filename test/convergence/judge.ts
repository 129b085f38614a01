import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkCopies } from './checks/copies.js';
import { checkGroups } from './checks/groups.js';
import { checkIdentities } from './checks/identities.js';
import { checkJournals } from './checks/journals.js';
import { checkOwnEdits } from './checks/own-edits.js';
import { checkRemovals } from './checks/removals.js';
import { checkSets } from './checks/sets.js';
import { checkValues } from './checks/values.js';
import { type Evidence, gather } from './evidence.js';
import type { Ledger } from './ledger.js';
import { Run } from './run.js';
import type { Sabotage } from './sabotage.js';
import { storyOf } from './story.js';
import type { ConvergenceWorld } from './world.js';

/** Lets a run happen, heals everything, and gives what is wrong then, or was on the way. */
export async function judge(world: ConvergenceWorld, seed: number, sabotage?: Sabotage): Promise<string[]> {
  const run = new Run(world, seed, sabotage);
  const { ledger } = run;
  const onTheWay = new Set<string>();
  const note = (problems: readonly string[]) => {
    for (const problem of problems) onTheWay.add(problem);
  };
  try {
    await run.live(async () => {
      const evidence = await gather(world, ledger.patients);
      note(checkSets(evidence));
      note(checkOwnEdits(evidence, run.exchange.refetching));
      note(checkGroups(ledger, [evidence.central, ...evidence.regions]));
    });
    await run.settle();
  } finally {
    run.exchange.close();
  }
  if (process.env.MEDLINK_SHOW) console.info(seed, JSON.stringify(run.attempts.counts));
  const evidence = await gather(world, ledger.patients);
  const { central, regions, quarantine } = evidence;
  note(checkSets(evidence));
  note(checkCopies(ledger, evidence));
  note(checkGroups(ledger, [central, ...regions]));
  note(checkValues(ledger, evidence));
  note(checkRemovals(ledger, evidence));
  note(checkJournals(ledger, evidence));
  note(checkIdentities(evidence));
  note(
    quarantine
      .filter(({ state }) => state === 'refused' || state === 'waiting')
      .map(({ state }) => `still ${state}`),
  );
  const problems = [...onTheWay];
  if (problems.length > 0) problems.push(`See ${await keepStories(seed, problems, ledger, evidence)}`);
  return problems;
}

/** Gives the file in which everything is told of the patients that a problem names. */
async function keepStories(
  seed: number,
  problems: readonly string[],
  ledger: Ledger,
  evidence: Evidence,
): Promise<string> {
  const named = ledger.patients.filter((id) => problems.some((problem) => problem.includes(id)));
  const stories = named.map((patientId) => storyOf(patientId, ledger, evidence));
  const file = join(tmpdir(), `medlink-convergence-${String(seed)}.txt`);
  await writeFile(file, [...problems, ...stories].join('\n\n'));
  return file;
}
