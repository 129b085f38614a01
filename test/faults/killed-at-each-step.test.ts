import { call } from '../accounts/api.js';
import { compileProject, type CompiledProject } from '../harness/compiled.js';
import type { NodeProcess } from '../harness/node-process.js';
import { until } from '../harness/until.js';
import type { Book } from './book.js';
import { drain } from './invariants/drain.js';
import { refusePoison } from './run.js';
import { centralHas, count, expectAllWell, newBook, register, registerMany, statusOf } from './scenes.js';
import { type Region, type World, worldOfProcesses } from './world.js';

/** As it goes over the wire, with its end. */
const COMMIT = 'COMMIT\0';

/** Between "committed" and "acknowledged" there are these moments. A process that dies in any loses nothing. */
describe('a process that is killed', () => {
  let project: CompiledProject;
  let world: World<NodeProcess>;
  let region: Region<NodeProcess>;
  let book: Book;

  beforeAll(async () => {
    project = await compileProject();
    world = await worldOfProcesses(project.path('src/main.js'));
    region = world.regions[0]!;
    book = newBook();
  }, 60_000);
  afterAll(async () => {
    await world.remove();
    await project.remove();
  });
  const outcomes = () => book.writes.map(({ outcome }) => outcome);
  const dieAndComeBack = async () => {
    await region.node.end('SIGKILL');
    await world.heal();
    await region.node.restart();
  };

  it('when the region has committed, and the clinician has no answer yet', async () => {
    await register(book, region);
    region.wireToHome.holdAnswersTo(COMMIT, 'INSERT INTO "patients"');
    const waiting = register(book, region);
    await until(() => region.wireToHome.isHolding, { what: 'the transaction commits' });
    await until(async () => (await count(region.databaseUrl, 'patients')) === 2, {
      what: 'it has committed',
    });
    await dieAndComeBack();
    await waiting;
    expect(outcomes()).toEqual(['acknowledged', 'unknown']);
    await expectAllWell(world, book);
    expect(await count(world.centralUrl, 'patients')).toBe(2);
  }, 60_000);

  it('when the relay has sent it, and it has not arrived', async () => {
    await region.wireToCentral.become('requests held');
    const write = await register(book, region);
    await until(async () => (await statusOf(region)).uplink.pending === 1, { what: 'it is pending' });
    await dieAndComeBack();
    await expectAllWell(world, book);
    expect(await centralHas(world, write)).toBe(true);
  }, 60_000);

  it('when central has applied it, and the relay does not know', async () => {
    await region.wireToCentral.become('answers held');
    const write = await register(book, region);
    await until(() => centralHas(world, write), { what: 'central has applied it' });
    expect((await statusOf(region)).uplink.pending).toBe(1);
    await dieAndComeBack();
    await expectAllWell(world, book);
  }, 60_000);

  it('when the relay knows, and has not written it down', async () => {
    await register(book, region);
    await until(async () => (await statusOf(region)).uplink.pending === 0, { what: 'it is confirmed' });
    await dieAndComeBack();
    await expectAllWell(world, book);
  }, 60_000);

  it('in the middle of a transaction that is larger than a chunk', async () => {
    const before = await count(world.centralUrl, 'patients');
    region.wireToCentral.holdAfter(600_000);
    await registerMany(region, 3_000, 'together');
    await until(() => region.wireToCentral.isHolding, {
      what: 'central has a part of it',
      timeoutMs: 20_000,
    });
    expect(await count(world.centralUrl, 'patients')).toBe(before);
    await dieAndComeBack();
    await expectAllWell(world, book);
    expect(await count(world.centralUrl, 'patients')).toBe(before + 3_000);
  }, 90_000);

  it('when central has put it into quarantine, and the relay does not know: it is told all the same', async () => {
    await refusePoison(world.centralUrl);
    await drain(world);
    // Whoever looks for identifiers given twice commits there too.
    region.wireToCentral.holdAnswersTo(COMMIT, 'incoming_entries');
    await registerMany(region, 1, 'each', 'poison');
    await until(async () => (await count(world.centralUrl, 'quarantine')) === 1, {
      what: 'it is in quarantine',
      timeoutMs: 30_000,
    });
    await dieAndComeBack();
    await expectAllWell(world, book);
    const { body } = await call(region.node.url, 'GET /alerts', { token: region.administrator.token });
    expect(body.items).toMatchObject([{ code: 'CHANGE_REFUSED' }]);
  }, 60_000);
});
