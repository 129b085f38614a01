import { call } from '../accounts/api.js';
import type { Book } from './book.js';
import { drain } from './invariants/drain.js';
import { statusTellsTheTruth } from './invariants/status.js';
import { centralHas, newBook, register } from './scenes.js';
import { type Region, type World, withSession, worldInProcess } from './world.js';

/** What a bad disk or an administrator may have left in the journal, before it was sent. */
const DAMAGES = {
  'a value that does not fit its column': `after = jsonb_set(after::jsonb, '{birth_date}', '"sometime"')`,
  'a value that is missing': `after = after::jsonb - 'family_name'`,
  'no row at all': `after = NULL`,
};

describe('a damaged entry of the journal', () => {
  let world: World;
  let region: Region;
  let book: Book;

  beforeEach(async () => {
    world = await worldInProcess();
    region = world.regions[0]!;
    book = newBook();
  });
  afterEach(() => world.remove());

  it.each(Object.entries(DAMAGES))(
    '%s: it is held with an alert, and everyone else flows',
    async (_, damage) => {
      await region.wireToCentral.become('down');
      await register(book, region);
      const damaged = await register(book, region);
      await withSession(region.databaseUrl, async (session) => {
        // Past the trigger that keeps the journal from being changed.
        await session.query('SET session_replication_role = replica');
        await session.query(`UPDATE journal SET ${damage} WHERE request_id = $1`, [damaged]);
      });
      const behind = await register(book, region);
      await region.wireToCentral.become('up');
      expect((await drain(world)).violations).toEqual([]);

      expect(await centralHas(world, behind)).toBe(true);
      expect(await centralHas(world, damaged)).toBe(false);
      const { token } = region.administrator;
      const { body } = await call(region.node.url, 'GET /sync/quarantine', { token });
      expect(body.items).toMatchObject([{ state: 'refused', op: 'insert', attempts: 1 }]);
      expect(await statusTellsTheTruth(world)).toEqual([]);
    },
    60_000,
  );
});
