import { call } from '../accounts/api.js';
import { until } from '../harness/until.js';
import type { Book } from './book.js';
import { firstSeed, Random } from './random.js';
import { centralHas, count, expectAllWell, newBook, register, registerMany } from './scenes.js';
import { statusOf, underLoad, whenLinkIs } from './scenes.js';
import { type Region, type World, worldInProcess } from './world.js';

/** What a wire can do short of being down. */
describe('the link to central', () => {
  let world: World;
  let region: Region;
  let book: Book;

  beforeEach(async () => {
    world = await worldInProcess();
    region = world.regions[0]!;
    book = newBook();
    await register(book, region);
    await whenLinkIs(region, 'up', 20_000);
  });
  afterEach(() => world.remove());

  const whenEmpty = async (timeoutMs: number) => {
    const begun = performance.now();
    await until(async () => (await statusOf(region)).uplink.pending === 0, {
      what: 'nothing is pending',
      timeoutMs,
    });
    return performance.now() - begun;
  };

  it('is cut again and again in the middle of a batch, wherever it happens to be', async () => {
    const random = new Random(firstSeed());
    await region.wireToCentral.become('down');
    await registerMany(region, 1_500, 'each');
    await region.wireToCentral.become('up');
    for (let cut = 0; cut < 12; cut++) {
      region.wireToCentral.cutAfter(random.between(1, 300_000));
      await Promise.race([whenLinkIs(region, 'down', 5_000), whenEmpty(5_000)]);
    }
    await expectAllWell(world, book);
    expect(await count(world.centralUrl, 'patients')).toBe(1_501);
  }, 90_000);

  it('is slow and loses packets: a backlog gets through, and nobody takes it for dead', async () => {
    await region.wireToCentral.become('down');
    await registerMany(region, 2_000, 'each');
    const random = new Random(firstSeed());
    region.wireToCentral.degrade({
      latencyMs: 100,
      bytesPerSecond: 250_000,
      stallChance: 0.05,
      stallMs: 400,
      random: random.next,
    });
    await region.wireToCentral.become('up');
    await underLoad(world, book, async () => {
      await whenLinkIs(region, 'up', 20_000);
      const failure = (await statusOf(region)).link.lastError;
      await until(async () => (await count(world.centralUrl, 'journal')) > 2_000, {
        what: 'the backlog is through',
        timeoutMs: 60_000,
      });
      expect((await statusOf(region)).link.lastError).toEqual(failure);
    });
    await expectAllWell(world, book);
  }, 120_000);

  it('goes half open while it is idle: noticed within 15 s, and what was written meanwhile arrives', async () => {
    region.wireToCentral.vanish();
    const begun = performance.now();
    const write = await register(book, region);
    await until(() => centralHas(world, write), { what: 'central has it', timeoutMs: 20_000 });
    expect(performance.now() - begun).toBeLessThan(15_000);
    await expectAllWell(world, book);
  }, 60_000);

  it('goes half open under somebody who looks into the quarantine: told so in time', async () => {
    const look = () => call(region.node.url, 'GET /sync/quarantine', { token: region.administrator.token });
    expect((await look()).status).toBe(200);
    region.wireToCentral.vanish();
    const begun = performance.now();
    expect((await look()).status).toBe(503);
    expect(performance.now() - begun).toBeLessThan(10_000);
  }, 60_000);

  it('goes half open in the middle of a transaction at central, which still holds its locks: nothing is lost', async () => {
    region.wireToCentral.holdAfter(600_000);
    await registerMany(region, 3_000, 'together');
    await until(() => region.wireToCentral.isHolding, {
      what: 'central has a part of it',
      timeoutMs: 20_000,
    });
    region.wireToCentral.vanish();
    await region.wireToCentral.become('up');
    expect(await whenLinkIs(region, 'down', 16_000)).toBeLessThan(15_000);
    await expectAllWell(world, book);
    expect(await count(world.centralUrl, 'patients')).toBe(3_001);
  }, 120_000);
});
