import { type CompiledProject, compileProject } from '../harness/compiled.js';
import { runOfProcesses, SHORT_RUN } from './kinds.js';
import { firstSeed } from './random.js';
import { runSeed } from './run.js';

const RUNS = Number(process.env.MEDLINK_RUNS ?? 5);

/** The same seed makes the same choices: `MEDLINK_SEED=… npm run test:faults`. */
describe('whatever breaks, in whatever order', () => {
  const first = firstSeed();
  let project: CompiledProject;
  beforeAll(async () => {
    project = await compileProject();
  }, 60_000);
  afterAll(() => project.remove());

  it.each(Array.from({ length: RUNS }, (_, nth) => [first + nth]))(
    'nothing is lost, twice, torn or out of order: MEDLINK_SEED=%i',
    async (seed) => {
      const report = await runSeed(seed, SHORT_RUN);
      expect(report).toMatchObject({ seed, verdict: {} });
      expect(report.verdict).toEqual({});
    },
    120_000,
  );

  it(`nor when processes are killed: MEDLINK_SEED=${first}`, async () => {
    const report = await runSeed(first, runOfProcesses(project.path('src/main.js')));
    expect(report.verdict).toEqual({});
  }, 120_000);
});
