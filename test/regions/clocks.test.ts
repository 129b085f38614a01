import pg from 'pg';
import { REGIONALE } from '../../src/routing/connection-names.js';
import { ADMIN, logIn } from '../harness/application.js';
import {
  cloneDatabase,
  cloneDatabases,
  type TestDatabase,
  type TestDatabases,
} from '../harness/databases.js';
import { NodeInProcess } from '../harness/node-in-process.js';
import { until } from '../harness/until.js';

/** The database's clock is two hours ahead, for every session that begins from now on. */
async function moveClock(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`
    CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT pg_catalog.clock_timestamp() + interval '2 hours' $$`);
  await client.query(
    `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$`,
  );
  await client.end();
}

describe('a region whose clock is two hours ahead', () => {
  let databases: TestDatabases;
  let second: TestDatabase;
  let central: pg.Client;
  let nodes: { DKR: NodeInProcess; THS: NodeInProcess };
  const tokens = new Map<NodeInProcess, string>();

  beforeAll(async () => {
    databases = await cloneDatabases();
    second = await cloneDatabase(REGIONALE);
    await moveClock(second.url);
    const region = async (code: string, url: string) => {
      const node = await NodeInProcess.start({
        MEDLINK_REGION: code,
        DATABASE_REGIONALE_URL: url,
        DATABASE_DEFAULT_URL: databases.centralUrl,
      });
      tokens.set(node, await logIn(node.url, ADMIN));
      return node;
    };
    nodes = { DKR: await region('DKR', databases.regionaleUrl), THS: await region('THS', second.url) };
    central = new pg.Client({ connectionString: databases.centralUrl });
    await central.connect();
  });
  afterAll(async () => {
    await central.end();
    await nodes.DKR.remove();
    await nodes.THS.remove();
    await databases.drop();
    await second.drop();
  });

  const call = async (node: NodeInProcess, method: string, path: string, body?: object) => {
    const answer = await fetch(`${node.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${tokens.get(node)!}`,
        ...(body && {
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };

  it('does not have the last word for it', async () => {
    const { DKR, THS } = nodes;
    const draft = { familyName: 'Sarr', givenNames: 'Modou', birthDate: '1990-01-01', sex: 'male' };
    const { body } = await call(DKR, 'POST', '/patients', draft);
    const path = `/patients/${String(body.id)}`;
    const isCopied = async () =>
      (await call(THS, 'POST', `/national${path}/copy`, { reason: 'Soins' })).status < 300;
    await until(isCopied, { what: 'the copy is asked for' });
    await until(async () => (await call(THS, 'GET', path)).status === 200, { what: 'the copy arrives' });
    const offset = async () => {
      const { rows } = await central.query<{ hours: number }>(
        `SELECT extract(epoch FROM clock_offset)::float8 / 3600 AS hours FROM region_nodes WHERE region = 'THS'`,
      );
      return rows[0]!.hours;
    };
    await until(async () => Math.abs((await offset()) + 2) < 0.01, { what: 'central knows that clock' });

    for (const node of [DKR, THS]) await call(node, 'POST', '/sync/pause');
    await call(THS, 'PATCH', path, { phone: '+221770000001' });
    await call(DKR, 'PATCH', path, { phone: '+221770000002' });
    for (const node of [DKR, THS]) await call(node, 'POST', '/sync/resume');

    const conflicts = async () =>
      (await central.query('SELECT outcome FROM conflicts WHERE patient_id = $1', [body.id])).rows;
    await until(async () => (await conflicts()).length === 1, { what: 'both edits have met' });
    for (const node of [DKR, THS]) {
      const phone = async () => (await call(node, 'GET', path)).body.phone;
      await until(async () => (await phone()) === '+221770000002', { what: 'the later number is in force' });
    }
  });
});
