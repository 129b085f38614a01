import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { until } from '../harness/until.js';
import type { Book } from './book.js';
import { END_SESSIONS } from './injected/faults.js';
import { centralHas, count, expectAllWell, newBook, register, someSucceed, statusOf } from './scenes.js';
import { underLoad } from './scenes.js';
import { type Region, type World, withSession, worldInProcess } from './world.js';

const STORM_MS = 3_000;
/** How long a storm may take to do what it is there for. */
const STORM_LIMIT_MS = 40_000;

/** Databases that say "not now" again and again. Whoever had a yes keeps it, and nothing goes to quarantine. */
describe('storms', () => {
  let world: World;
  let region: Region;
  let book: Book;

  beforeEach(async () => {
    world = await worldInProcess();
    region = world.regions[0]!;
    book = newBook();
  });
  afterEach(() => world.remove());

  /** Repeats `storm` in a session of its own for a while, and until it has been `felt`. */
  const rage = (
    url: string,
    storm: (session: pg.Client) => Promise<unknown>,
    felt: () => Promise<boolean> = () => Promise.resolve(true),
  ): Promise<void> =>
    withSession(url, async (session) => {
      const begun = performance.now();
      const lasted = () => performance.now() - begun;
      while (lasted() < STORM_MS || !(await felt())) {
        if (lasted() > STORM_LIMIT_MS) throw new Error('Nobody has felt the storm');
        await storm(session).catch(() => session.query('ROLLBACK'));
      }
    });

  const relayMet = async (code: string) => (await statusOf(region)).link.lastError?.code === code;

  /** Locks patients one after the other, in an order that nobody else keeps to. Others lose their patience first. */
  const lockCrosswise = (order: 'ASC' | 'DESC') => async (session: pg.Client) => {
    await session.query(`SET deadlock_timeout = '300ms'`);
    await session.query('BEGIN');
    const { rows } = await session.query<{ id: string }>(
      `SELECT id FROM (SELECT id FROM patients ORDER BY updated_at DESC, id LIMIT 40) young ORDER BY id ${order}`,
    );
    for (const { id } of rows) await session.query('SELECT FROM patients WHERE id = $1 FOR UPDATE', [id]);
    await pause(5);
    await session.query('ROLLBACK');
  };

  /** Sessions take a setting when they begin, so those that are open are ended. */
  const setForNewSessions = async (url: string, setting: string, value: string) => {
    await withSession(url, async (session) => {
      const { rows } = await session.query<{ name: string }>(
        'SELECT quote_ident(current_database()) AS name',
      );
      await session.query(`ALTER DATABASE ${rows[0]!.name} SET ${setting} = '${value}'`);
    });
    region.wireToHome.cut();
    region.wireToCentral.cut();
  };

  const hasDeadlocks = (url: string) =>
    withSession(url, async (session) => {
      await session.query('SELECT pg_stat_force_next_flush()');
      const { rows } = await session.query<{ deadlocks: string }>(
        'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
      );
      return Number(rows[0]!.deadlocks) > 0;
    });

  it.each(['region', 'central'] as const)(
    'deadlocks in the database of the %s',
    async (where) => {
      const url = where === 'region' ? region.databaseUrl : world.centralUrl;
      await setForNewSessions(url, 'deadlock_timeout', '20ms');
      const felt = () => (where === 'region' ? hasDeadlocks(url) : relayMet('40P01'));
      await underLoad(
        world,
        book,
        async () => {
          const storms = (['ASC', 'DESC'] as const).map((order) => rage(url, lockCrosswise(order), felt));
          await Promise.all(storms);
          await someSucceed(world, book);
        },
        { clinicians: 8, databaseUsers: 4 },
      );
      await expectAllWell(world, book);
      expect(await count(world.centralUrl, 'quarantine')).toBe(0);
    },
    90_000,
  );

  it.each(['region', 'central'] as const)(
    'serialization failures in the database of the %s',
    async (where) => {
      const url = where === 'region' ? region.databaseUrl : world.centralUrl;
      await setForNewSessions(url, 'default_transaction_isolation', 'serializable');
      const toldToComeAgain = () => Promise.resolve(book.toldToComeAgain > 0);
      const felt = where === 'region' ? toldToComeAgain : () => relayMet('40001');
      await underLoad(
        world,
        book,
        async () => {
          // Reads what others write, and writes what others read.
          const touch = async (session: pg.Client) => {
            await session.query('BEGIN');
            await session.query('SELECT count(*) FROM patients');
            await session.query('SELECT count(*) FROM journal');
            await session.query('UPDATE replication_cursors SET applied_at = clock_timestamp()');
            await session.query('UPDATE node SET incarnation = incarnation');
            await pause(3);
            await session.query('COMMIT');
          };
          await Promise.all([rage(url, touch, felt), rage(url, touch, felt)]);
        },
        { clinicians: 8 },
      );
      await expectAllWell(world, book);
      expect(await count(world.centralUrl, 'quarantine')).toBe(0);
    },
    90_000,
  );

  it.each(['region', 'central'] as const)(
    'sessions that the database of the %s ends',
    async (where) => {
      const url = where === 'region' ? region.databaseUrl : world.centralUrl;
      const end = async (session: pg.Client) => {
        await session.query(END_SESSIONS);
        await pause(30);
      };
      await underLoad(world, book, () => rage(url, end), { clinicians: 8 });
      await expectAllWell(world, book);
      expect(await count(world.centralUrl, 'quarantine')).toBe(0);
    },
    60_000,
  );

  it('all connections of the pool in use: others are told to wait, the relay goes on, and it passes', async () => {
    await register(book, region);
    const [patient] = book.patients(region.code);
    await withSession(region.databaseUrl, async (session) => {
      await session.query('BEGIN');
      await session.query('SELECT FROM patients WHERE id = $1 FOR UPDATE', [patient]);
      const patch = () =>
        fetch(`${region.node.url}/api/v1/patients/${patient}`, {
          method: 'PATCH',
          headers: { authorization: `Bearer ${region.doctor.token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ notes: 'waits for the lock' }),
        });
      const waiting = Array.from({ length: 40 }, patch);
      await until(async () => (await lockWaiters()) >= 20, { what: 'the pool is used up' });
      const other = await patch();
      expect([other.status, other.headers.get('retry-after')]).toEqual([503, expect.any(String)]);
      const made = book.newId();
      await session.query('SAVEPOINT before');
      await withSession(region.databaseUrl, (psql) =>
        psql.query(
          `INSERT INTO patients SELECT (jsonb_populate_record(p, $2)).* FROM patients p WHERE id = $1`,
          [
            patient,
            JSON.stringify({ id: '0193f0a0-0000-7000-8000-000000000001', medical_id: made, notes: made }),
          ],
        ),
      );
      await until(() => centralHas(world, made), { what: 'the relay goes on' });
      await session.query('COMMIT');
      const statuses = (await Promise.all(waiting)).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set([200, 503]));
    });
    await register(book, region);
    await expectAllWell(world, book);
  }, 60_000);

  /** Asked by a session of its own each time: within a transaction, the answer would stay what it was. */
  const lockWaiters = () =>
    count(
      region.databaseUrl,
      `pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
});
