import { setTimeout as pause } from 'node:timers/promises';
import { startRestartableCluster, type RestartableCluster } from '../harness/test-cluster.js';
import { NodeInProcess } from '../harness/node-in-process.js';
import type { Book } from './book.js';
import { conclude } from './invariants/conclude.js';
import { pendingOf } from './invariants/drain.js';
import { expectAllWell, newBook, statusOf, underLoad, whenLinkIs } from './scenes.js';
import { createWorld, type Region, type World } from './world.js';

const AWAY_MS = 5_000;

/** Clinicians work on as if nothing had happened, and what they did arrives when central is back. */
describe('central, under load,', () => {
  let cluster: RestartableCluster;
  let world: World;
  let region: Region;
  let book: Book;

  beforeEach(async () => {
    cluster = await startRestartableCluster();
    world = await createWorld({
      codes: ['DKR'],
      startNode: (environment) => NodeInProcess.start(environment),
      centralCluster: cluster.url,
    });
    region = world.regions[0]!;
    book = newBook();
    await whenLinkIs(region, 'up', 20_000);
  }, 60_000);
  afterEach(async () => {
    await world.remove();
    await cluster.stop();
  });

  /** Nobody waits for central: the slowest answer while it was away. */
  const slowestSince = (begun: number) =>
    Math.max(
      ...book.writes.filter((write) => write.begun >= begun).map(({ begun: from, ended }) => ended - from),
    );

  /** What central has applied without being heard looks pending; never the other way round. */
  const expectPendingToBeTold = async () => {
    const pending = await pendingOf(world, region);
    expect(pending).toBeGreaterThan(0);
    expect((await statusOf(region)).uplink.pending).toBeGreaterThanOrEqual(pending);
  };

  it.each(['stopped', 'crashed'] as const)(
    'is %s, and comes back',
    async (how) => {
      await underLoad(world, book, async () => {
        await cluster.goDown(how);
        const begun = Date.now();
        const before = book.countOf('acknowledged');
        expect(await whenLinkIs(region, 'down', 15_000)).toBeLessThan(15_000);
        await pause(AWAY_MS);
        expect(book.countOf('acknowledged') - before).toBeGreaterThan(AWAY_MS / 100);
        expect(slowestSince(begun)).toBeLessThan(3_000);
        expect((await statusOf(region)).uplink.pending).toBeGreaterThan(0);
        await cluster.resume();
      });
      await expectAllWell(world, book);
      expect(book.countOf('unknown')).toBe(0);
    },
    90_000,
  );

  it('hangs: it accepts, and never answers', async () => {
    await underLoad(world, book, async () => {
      await region.wireToCentral.become('hung');
      const begun = Date.now();
      const before = book.countOf('acknowledged');
      expect(await whenLinkIs(region, 'down', 15_000)).toBeLessThan(15_000);
      await pause(3_000);
      await expectPendingToBeTold();
      expect(book.countOf('acknowledged') - before).toBeGreaterThan(30);
      expect(slowestSince(begun)).toBeLessThan(3_000);
      await region.wireToCentral.become('up');
    });
    await expectAllWell(world, book);
  }, 90_000);
});

/** What was answered survives the region's own database too. */
describe('the region’s own database, under load,', () => {
  it.each(['stopped', 'crashed'] as const)(
    'is %s, and comes back',
    async (how) => {
      const cluster = await startRestartableCluster();
      const world = await createWorld({
        codes: ['DKR'],
        startNode: (environment) => NodeInProcess.start(environment),
        homeCluster: cluster.url,
      });
      const book = newBook();
      try {
        await underLoad(world, book, async () => {
          await cluster.goDown(how);
          await pause(1_000);
          await cluster.resume();
        });
        await world.heal();
        const { verdict } = await conclude(world, book);
        expect(verdict).toEqual({});
      } finally {
        await world.remove();
        await cluster.stop();
      }
    },
    90_000,
  );
});
