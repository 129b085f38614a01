import { call } from '../accounts/api.js';
import { until } from '../harness/until.js';
import { Book } from './book.js';
import { conclude } from './invariants/conclude.js';
import { firstSeed, Random } from './random.js';
import { editOf } from './workload/edits.js';
import { send } from './workload/requests.js';
import { type Staff, Workload } from './workload/workload.js';
import { type Region, type World, withSession } from './world.js';

const STAFF: Staff = { clinicians: 4, databaseUsers: 1, restMs: 20, poison: 0, impatience: 0 };

export const newBook = () => new Book(`n${firstSeed()}`);

/** People work in every region while `during` runs, and a moment longer: until someone has succeeded after it. */
export async function underLoad(
  world: World,
  book: Book,
  during: () => Promise<void>,
  staff: Partial<Staff> = {},
): Promise<void> {
  const workload = new Workload(book, world.regions, new Random(firstSeed()), { ...STAFF, ...staff });
  try {
    await someSucceed(world, book);
    await during();
    await someSucceed(world, book);
  } finally {
    await workload.stop();
  }
}

/** Resolves when as many more writes have succeeded in every region. */
export async function someSucceed(world: World, book: Book, count = 10): Promise<void> {
  for (const { code } of world.regions) {
    const before = book.countOf('acknowledged', code);
    await until(() => book.countOf('acknowledged', code) >= before + count, {
      what: `${count} more writes of ${code} succeed`,
      timeoutMs: 30_000,
    });
  }
}

/** Heals, waits for the queues to run empty, and fails with whatever breaks an invariant. */
export async function expectAllWell(world: World, book: Book): Promise<void> {
  await world.heal();
  const { verdict } = await conclude(world, book);
  expect(verdict).toEqual({});
}

/** One patient through the API, by the region's doctor. Gives the id of the write; the book has the rest. */
export async function register(book: Book, region: Region, abandonAfter?: number): Promise<string> {
  const id = book.newId();
  const { body, sets } = editOf(new Random(1), id, ['notes']);
  await send(book, region, id, {
    method: 'POST',
    path: '/patients',
    by: region.doctor,
    body: { familyName: id, givenNames: 'Awa', birthDate: '1990-02-03', sex: 'female', ...body },
    refusals: [],
    op: 'insert',
    sets: { family_name: id, ...sets },
    abandonAfter,
  });
  return id;
}

/** Patients by psql, for a backlog. `each`: in a transaction each; `together`: all in one. */
export async function registerMany(
  { databaseUrl, code }: Pick<Region, 'databaseUrl' | 'code'>,
  count: number,
  how: 'each' | 'together',
  notes = 'registered by psql',
): Promise<void> {
  const make = (nth: string) => `
    INSERT INTO patients (id, medical_id, region, family_name, given_names, birth_date, birth_date_precision, sex,
                          allergies, chronic_conditions, notes, version, created_at, updated_at, created_by, updated_by)
    SELECT id, id, '${code}', 'Ndiaye', 'Awa', '1990-02-03', 'day', 'female', '{}', '{}', '${notes}', 1,
           now(), now(), 'psql', 'psql'
    FROM (SELECT gen_random_uuid() AS id FROM ${nth}) made`;
  await withSession(databaseUrl, (session) =>
    session.query(
      how === 'together'
        ? make(`generate_series(1, ${count})`)
        : `DO $$ BEGIN FOR nth IN 1..${count} LOOP ${make('generate_series(1, 1)')}; COMMIT; END LOOP; END $$`,
    ),
  );
}

export interface Status {
  readonly link: { readonly state: string; readonly lastError: { readonly code: string } | null };
  readonly uplink: { readonly pending: number };
  readonly quarantined: number;
}

export async function statusOf({ node, administrator: { token } }: Region): Promise<Status> {
  return (await call(node.url, 'GET /sync/status', { token })).body as Status;
}

/** Resolves when the link is in that state; gives how long that took, in milliseconds. */
export async function whenLinkIs(region: Region, state: 'up' | 'down', timeoutMs: number): Promise<number> {
  const begun = performance.now();
  await until(async () => (await statusOf(region)).link.state === state, {
    what: `the link of ${region.code} is ${state}`,
    timeoutMs,
  });
  return performance.now() - begun;
}

/** Whether central has the record that this write made. */
export function centralHas({ centralUrl }: World, write: string): Promise<boolean> {
  return withSession(centralUrl, async (session) => {
    const { rowCount } = await session.query('SELECT FROM patients WHERE notes = $1', [write]);
    return rowCount === 1;
  });
}

export async function count(url: string, sql: string): Promise<number> {
  return withSession(url, async (session) => {
    const { rows } = await session.query<{ count: string }>(`SELECT count(*) AS count FROM ${sql}`);
    return Number(rows[0]!.count);
  });
}
