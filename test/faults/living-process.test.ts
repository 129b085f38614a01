import { setTimeout as pause } from 'node:timers/promises';
import { logIn } from '../harness/application.js';
import { PASSWORD } from '../accounts/api.js';
import { compileProject, type CompiledProject } from '../harness/compiled.js';
import type { NodeProcess } from '../harness/node-process.js';
import { until } from '../harness/until.js';
import type { Book } from './book.js';
import { expectAllWell, newBook, register, registerMany, underLoad, whenLinkIs } from './scenes.js';
import { type Region, type World, worldOfProcesses } from './world.js';

/** Longer than central waits for a relay in the middle of a transaction. The relay itself notices nothing. */
const ASLEEP_MS = 18_000;
const HOUR_MS = 3_600_000;

/** What may happen to a process without its end. */
describe('a node’s process', () => {
  let project: CompiledProject;
  let world: World<NodeProcess>;
  let region: Region<NodeProcess>;
  let book: Book;

  beforeAll(async () => {
    project = await compileProject();
  }, 60_000);
  afterAll(() => project.remove());
  beforeEach(async () => {
    world = await worldOfProcesses(project.path('src/main.js'));
    region = world.regions[0]!;
    book = newBook();
    await whenLinkIs(region, 'up', 20_000);
  }, 60_000);
  afterEach(() => world.remove());

  it('stands still in the middle of a delivery, and is woken: it goes on where central stands', async () => {
    await register(book, region);
    region.wireToCentral.holdAfter(600_000);
    await registerMany(region, 3_000, 'together');
    await until(() => region.wireToCentral.isHolding, {
      what: 'central has a part of it',
      timeoutMs: 20_000,
    });
    region.node.signal('SIGSTOP');
    await region.wireToCentral.become('up');
    await pause(ASLEEP_MS);
    region.node.signal('SIGCONT');
    await register(book, region);
    await expectAllWell(world, book);
  }, 120_000);

  it('is told to stop in the middle of a delivery to a central that hangs, under load: it ends within ten seconds, and goes on later', async () => {
    await underLoad(world, book, async () => {
      await region.wireToCentral.become('down');
      await registerMany(region, 2_000, 'each');
      region.wireToCentral.degrade({ latencyMs: 20, bytesPerSecond: 200_000 });
      await region.wireToCentral.become('up');
      await whenLinkIs(region, 'up', 20_000);
      await region.wireToCentral.become('hung');
      const begun = performance.now();
      expect(await region.node.end('SIGTERM')).toBe(0);
      expect(performance.now() - begun).toBeLessThan(10_000);
      await world.heal();
      await region.node.restart();
    });
    await expectAllWell(world, book);
  }, 120_000);

  it.each([
    ['two hours behind', -2 * HOUR_MS],
    ['two hours ahead', 2 * HOUR_MS],
  ])(
    'has a clock that is %s, and steps back to the right time under load',
    async (_, shiftMs) => {
      await region.node.moveClock(shiftMs);
      await signInAgain();
      await underLoad(world, book, async () => {
        await pause(500);
        await region.node.moveClock(shiftMs / 2);
        await signInAgain();
        await pause(500);
        await region.node.moveClock(0);
        await signInAgain();
        await pause(500);
      });
      await expectAllWell(world, book);
    },
    60_000,
  );

  /** An access token lives for a quarter of an hour by the node's clock. */
  async function signInAgain(): Promise<void> {
    const { node, administrator, doctor } = region;
    Object.assign(administrator, { token: await node.token() });
    Object.assign(doctor, { token: await logIn(node.url, { email: doctor.email, password: PASSWORD }) });
  }
});
