import pg from 'pg';
import { CENTRAL } from '../../src/routing/connection-names.js';
import { cloneDatabase, type TestDatabase } from '../harness/databases.js';
import { until } from '../harness/until.js';

let database: TestDatabase;
const sessions: pg.Client[] = [];
let watcher: pg.Client;

beforeAll(async () => {
  database = await cloneDatabase(CENTRAL);
  watcher = await session();
  await watcher.query(`INSERT INTO node (code) VALUES ('central')`);
  await watcher.query(
    `INSERT INTO regions (id, code, name, enabled, version, created_at, updated_at, created_by, updated_by)
     VALUES (gen_random_uuid(), 'DKR', 'Dakar', true, 1, now(), now(), 'test', 'test')`,
  );
});
afterAll(async () => {
  await Promise.all(sessions.map((client) => client.end()));
  await database.drop();
});

async function session(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  sessions.push(client);
  return client;
}

/** A patient whom the region DKR has sent, and nobody else knows. */
async function sent(): Promise<string> {
  const { rows } = await watcher.query<{ id: string }>('SELECT gen_random_uuid() AS id');
  const { id } = rows[0]!;
  await watcher.query(`SET medlink.capture = 'app'`);
  await watcher.query(`INSERT INTO patients SELECT (jsonb_populate_record(NULL::patients, $1)).*`, [
    {
      ...{
        id,
        medical_id: id.slice(0, 8),
        region: 'DKR',
        family_name: 'Diop',
        given_names: 'Awa',
        sex: 'female',
      },
      ...{ birth_date: '1987-03-14', birth_date_precision: 'day', allergies: '{}', chronic_conditions: '{}' },
      ...{ version: 1, created_at: '2026-01-01', updated_at: '2026-01-01', created_by: 'x', updated_by: 'x' },
    },
  ]);
  await watcher.query('RESET medlink.capture');
  return id;
}

/** Lets `works` come to where they want the hosts for themselves, all of them, before the first gets them. */
async function meeting(works: readonly (() => Promise<unknown>)[]): Promise<void> {
  const reader = await session();
  await reader.query('BEGIN');
  await reader.query('SELECT FROM hosts');
  const running = Promise.all(works.map((work) => work()));
  const waiting = async () => {
    const { rows } = await watcher.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_locks WHERE relation = 'hosts'::regclass AND NOT granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    return rows[0]!.count === works.length;
  };
  await until(waiting, { what: 'all want the hosts' });
  await reader.query('COMMIT');
  await running;
}

const hostsOf = async (ids: readonly string[]) =>
  (await watcher.query('SELECT region, kind FROM hosts WHERE patient_id = ANY($1)', [ids])).rows;

test('those who open the lanes of patients whom nobody shares wait for each other once, and not for ever', async () => {
  const ids = [await sent(), await sent(), await sent()];
  const clients = await Promise.all(ids.map(() => session()));
  await meeting(
    ids.map((id, index) => async () => {
      const client = clients[index]!;
      await client.query('BEGIN');
      await client.query('SELECT hosts_open_homes(ARRAY[$1]::uuid[])', [id]);
      await client.query('COMMIT');
    }),
  );
  expect(await hostsOf(ids)).toEqual(ids.map(() => ({ region: 'DKR', kind: 'home' })));
});

test('so do those who edit such patients at central without opening a lane first', async () => {
  const ids: string[] = [];
  for (let count = 0; count < 8; count++) ids.push(await sent());
  const clients = await Promise.all(ids.map(() => session()));
  await meeting(
    ids.map(
      (id, index) => () =>
        clients[index]!.query(`UPDATE patients SET phone = '+221770000001' WHERE id = $1`, [id]),
    ),
  );
  expect(await hostsOf(ids)).toEqual(ids.map(() => ({ region: 'DKR', kind: 'home' })));
  const { rows } = await watcher.query(
    `SELECT d.region FROM journal j JOIN deliveries d USING (seq) WHERE j.entity = 'patients' AND j.patient_id = ANY($1)`,
    [ids],
  );
  expect(rows).toEqual(ids.map(() => ({ region: 'DKR' })));
});

test('who opens one that is open already waits for nobody', async () => {
  const id = await sent();
  await watcher.query('SELECT hosts_open_homes(ARRAY[$1]::uuid[])', [id]);
  const reader = await session();
  await reader.query('BEGIN');
  await reader.query('SELECT FROM hosts');
  await watcher.query(`SET lock_timeout = '1s'`);
  await watcher.query('SELECT hosts_open_homes(ARRAY[$1]::uuid[])', [id]);
  await reader.query('COMMIT');
  expect(await hostsOf([id])).toHaveLength(1);
});
