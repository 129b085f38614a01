import { firstSeed } from '../faults/random.js';
import { judge } from './judge.js';
import { openWorld, type ConvergenceWorld } from './world.js';

const RUNS = Number(process.env.MEDLINK_RUNS ?? 15);

/** `MEDLINK_SEED=… MEDLINK_RUNS=1` runs one again. */
describe('three regions and central, whatever people do and whatever breaks', () => {
  let world: ConvergenceWorld;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  const first = firstSeed();
  it.each(Array.from({ length: RUNS }, (_, nth) => [first + nth]))(
    'end with the same records everywhere, and with nothing lost: MEDLINK_SEED=%i',
    async (seed) => {
      expect(await judge(world, seed)).toEqual([]);
    },
    60_000,
  );
});
