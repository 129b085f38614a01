import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { until } from '../harness/until.js';
import type { Book } from './book.js';
import { count, expectAllWell, newBook, register } from './scenes.js';
import { type Region, type World, withSession, worldInProcess } from './world.js';

/** A transaction that has its positions in the journal, and has not committed. */
interface Numbered {
  readonly session: pg.Client;
  readonly write: string;
}

/** Positions are drawn before the commit, and commits come in any order. */
describe('transactions that commit in another order than their positions', () => {
  let world: World;
  let region: Region;
  let book: Book;

  beforeEach(async () => {
    world = await worldInProcess();
    region = world.regions[0]!;
    book = newBook();
    for (let nth = 0; nth < 6; nth++) await register(book, region);
  });
  afterEach(() => world.remove());

  const number = async (session: pg.Client, patient: string): Promise<Numbered> => {
    const write = book.newId();
    await session.query('BEGIN');
    await session.query('UPDATE patients SET notes = $2 WHERE id = $1', [patient, write]);
    await session.query('SET CONSTRAINTS ALL IMMEDIATE');
    return { session, write };
  };
  const centralNotes = () =>
    withSession(world.centralUrl, async (session) => {
      const { rows } = await session.query<{ notes: string }>('SELECT notes FROM patients');
      return rows.map(({ notes }) => notes);
    });

  it('none is passed over, and a rolled-back one holds nobody up', async () => {
    const patients = book.patients(region.code);
    const run = (nth: number, work: (one: Numbered) => Promise<void>): Promise<void> =>
      withSession(region.databaseUrl, async (session) => work(await number(session, patients[nth]!)));
    await run(0, (first) =>
      run(1, (second) =>
        run(2, (third) =>
          run(3, async (fourth) => {
            await fourth.session.query('COMMIT');
            await second.session.query('ROLLBACK');
            await third.session.query('COMMIT');
            // The first still may take its place before them. The relay is woken, and looks again and again.
            const whatFollows = await register(book, region);
            await pause(1_500);
            expect(await centralNotes()).not.toContain(fourth.write);
            await first.session.query('COMMIT');
            await until(async () => (await centralNotes()).includes(whatFollows), {
              what: 'everything is there',
            });
            expect(await centralNotes()).toEqual(
              expect.arrayContaining([first.write, third.write, fourth.write]),
            );
            expect(await centralNotes()).not.toContain(second.write);
          }),
        ),
      ),
    );
    await expectAllWell(world, book);
    expect(await count(world.centralUrl, `journal WHERE origin = 'DKR'`)).toBe(10);
  }, 60_000);
});
