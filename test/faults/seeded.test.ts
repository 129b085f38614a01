import { FAULTS_IN_PROCESS } from './injected/faults.js';
import { firstSeed } from './random.js';
import { runSeed } from './run.js';
import { worldInProcess } from './world.js';

const RUNS = Number(process.env.MEDLINK_RUNS ?? 8);

/** The same seed makes the same choices: `MEDLINK_SEED=… npm run test:faults`. */
describe('whatever breaks, in whatever order', () => {
  const first = firstSeed();

  it.each(Array.from({ length: RUNS }, (_, nth) => [first + nth]))(
    'nothing is lost, twice, torn or out of order: MEDLINK_SEED=%i',
    async (seed) => {
      const report = await runSeed(seed, {
        createWorld: worldInProcess,
        faults: FAULTS_IN_PROCESS,
        count: 3,
        longestMs: 400,
      });
      if (process.env.MEDLINK_SHOW) console.info(JSON.stringify(report));
      expect(report.verdict).toEqual({});
    },
    120_000,
  );
});
