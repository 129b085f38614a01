import { setTimeout as pause } from 'node:timers/promises';
import { call } from '../accounts/api.js';
import { until } from '../harness/until.js';
import type { Book } from './book.js';
import { drain } from './invariants/drain.js';
import { gatherEvidence } from './invariants/evidence.js';
import { judge } from './invariants/judge.js';
import { refusePoison } from './run.js';
import { centralHas, newBook, register, registerMany } from './scenes.js';
import { type Region, type World, withSession, worldInProcess } from './world.js';

const REFUSED = 5_000;
/** Refusals a second, at the least: each costs central an attempt and a place in quarantine. */
const THROUGHPUT = 40;

describe('a burst of changes that central can never accept', () => {
  let world: World;
  let region: Region;
  let book: Book;

  beforeEach(async () => {
    world = await worldInProcess();
    region = world.regions[0]!;
    book = newBook();
  });
  afterEach(() => world.remove());

  const attempts = () =>
    withSession(world.centralUrl, async (session) => {
      const { rows } = await session.query<{ held: number; attempts: number; last: Date }>(
        `SELECT count(*)::int AS held, sum(attempts)::int AS attempts, max(last_attempt_at) AS last FROM quarantine`,
      );
      return rows[0]!;
    });

  const told = async () => {
    const { body } = await call(region.node.url, 'GET /alerts', { token: region.administrator.token });
    return body.items as { code: string; count: number }[];
  };

  it(`${REFUSED} of them are one alert and one attempt each, and nobody else waits`, async () => {
    await refusePoison(world.centralUrl);
    await region.wireToCentral.become('down');
    await registerMany(region, REFUSED, 'each', 'poison');
    const behind = await register(book, region);
    await region.wireToCentral.become('up');
    expect((await drain(world, THROUGHPUT)).violations).toEqual([]);

    expect(await centralHas(world, behind)).toBe(true);
    const after = await attempts();
    expect(after).toMatchObject({ held: REFUSED, attempts: REFUSED });
    // Central has all of it before the region has heard what became of the last chunk.
    await until(async () => (await told()).at(-1)?.count === REFUSED, { what: 'the region knows of all' });
    expect(await told()).toMatchObject([{ code: 'CHANGE_REFUSED', count: REFUSED }]);

    const later = await register(book, region);
    await pause(3_000);
    expect(await attempts()).toEqual(after);
    expect(await centralHas(world, later)).toBe(true);
    expect(judge(await gatherEvidence(world, book))).toEqual({});
  }, 300_000);
});
