import { call } from '../accounts/api.js';
import { until } from '../harness/until.js';
import type { Book } from './book.js';
import { count, expectAllWell, newBook, register } from './scenes.js';
import { type Region, type World, worldInProcess } from './world.js';

/** As it goes over the wire, with its end. */
const COMMIT = 'COMMIT\0';

describe('a commit whose answer is lost between the node and its own database', () => {
  let world: World;
  let region: Region;
  let book: Book;

  beforeEach(async () => {
    world = await worldInProcess();
    region = world.regions[0]!;
    book = newBook();
    await register(book, region);
  });
  afterEach(() => world.remove());

  const patient = { familyName: 'Ndiaye', givenNames: 'Awa', birthDate: '1990-02-03', sex: 'female' };
  const create = (headers: Record<string, string>) =>
    call(region.node.url, 'POST /patients', { token: region.doctor.token, body: patient, headers });
  const losingTheAnswer = async <T>(work: () => Promise<T>): Promise<T> => {
    region.wireToHome.holdAnswersTo(COMMIT, 'INSERT INTO "patients"');
    const answer = work();
    await until(async () => (await count(region.databaseUrl, 'patients')) === 2, {
      what: 'it has committed',
    });
    region.wireToHome.cut();
    await region.wireToHome.become('up');
    return answer;
  };

  it('is not told to have changed nothing; with its Idempotency-Key, it is made once', async () => {
    const headers = { 'idempotency-key': 'one-and-the-same' };
    const lost = await losingTheAnswer(() => create(headers));
    expect([lost.status, lost.body.type]).toEqual([503, expect.stringMatching(/database-unavailable$/)]);
    expect(lost.body.detail).not.toMatch(/nothing was changed/i);
    const again = await create(headers);
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect(await count(region.databaseUrl, 'patients')).toBe(2);
    await expectAllWell(world, book);
  }, 60_000);
});
