import { firstSeed } from '../faults/random.js';
import { judge } from './judge.js';
import { SABOTAGES } from './sabotage.js';
import { openWorld } from './world.js';

const RUNS = Number(process.env.MEDLINK_RUNS ?? 60);

/** A judgement that finds nothing says nothing until it has been seen to find something. */
describe('runs find', () => {
  const first = firstSeed();

  it.each(Object.entries(SABOTAGES))(
    'that %s',
    async (name, sabotage) => {
      const world = await openWorld();
      await sabotage.prepare?.(world);
      const undo = sabotage.patch?.();
      try {
        const found = await findBy(first, (seed) => judge(world, seed, sabotage));
        console.info(`“${name}”: ${found ?? 'not found'}`);
        expect(found).toBeDefined();
      } finally {
        undo?.();
        await world.close();
      }
    },
    600_000,
  );
});

/** What the first run that finds something finds, and which it was. */
async function findBy(
  first: number,
  judged: (seed: number) => Promise<readonly string[]>,
): Promise<string | undefined> {
  for (let seed = first; seed < first + RUNS; seed++) {
    const problems = await judged(seed).catch((error: unknown) => [String(error)]);
    if (problems.length > 0) return `seed ${String(seed)}, run ${String(seed - first + 1)}: ${problems[0]!}`;
  }
  return undefined;
}
