import type { Book } from '../book.js';
import type { World } from '../world.js';
import { drain, type Drained } from './drain.js';
import { gatherEvidence } from './evidence.js';
import { judge, listed, type Verdict } from './judge.js';
import { statusTellsTheTruth } from './status.js';

/** Waits, in a world that is healed and at rest, until the queues are empty, and compares everything. */
export async function conclude(world: World, book: Book): Promise<{ verdict: Verdict; drained: Drained }> {
  const drained = await drain(world);
  const told = await statusTellsTheTruth(world);
  const verdict = {
    ...judge(await gatherEvidence(world, book)),
    ...listed('I10 the queues drain by themselves', drained.violations),
    ...listed('I11 what the status says equals what SQL counts', told),
  };
  return { verdict, drained };
}
