import { CENTRAL, REGIONALE } from '../../src/routing/connection-names.js';
import { call, newAccount } from '../accounts/api.js';
import { ADMIN, logIn } from '../harness/application.js';
import { cloneDatabase, type TestDatabase } from '../harness/databases.js';
import { NodeInProcess } from '../harness/node-in-process.js';
import { startTestCluster, type TestCluster } from '../harness/test-cluster.js';
import { until } from '../harness/until.js';
import { loadDatabase } from './loaded-database.js';
import pg from 'pg';

/** A dump is only rows and sequences: the cluster that it is loaded into counts transactions from the beginning. */
describe('a region’s dump, loaded into a new cluster', () => {
  let cluster: TestCluster;
  let central: TestDatabase;
  let home: TestDatabase;
  let loaded: TestDatabase;
  beforeAll(async () => {
    cluster = await startTestCluster();
  }, 60_000);
  afterAll(() => cluster.stop());
  beforeEach(async () => {
    [central, home, loaded] = await Promise.all([
      cloneDatabase(CENTRAL),
      cloneDatabase(REGIONALE),
      cloneDatabase(REGIONALE, cluster.url),
    ]);
  });
  afterEach(() => Promise.all([central, home, loaded].map((database) => database.drop())));

  const query = async (url: string, sql: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(sql);
    await client.end();
    return rows;
  };
  const OWN = `SELECT origin_seq, incarnation, change_set, entity_id, op FROM journal WHERE origin = 'DKR' ORDER BY origin_seq`;
  const PATIENTS = 'SELECT to_jsonb(p) AS row FROM patients p ORDER BY id';

  /** Runs a node on `url` for as long as `work` takes, and until everything has been sent. */
  const onNode = async (url: string, work: (create: () => Promise<string>) => Promise<void>) => {
    const node = await NodeInProcess.start({
      DATABASE_REGIONALE_URL: url,
      DATABASE_DEFAULT_URL: central.url,
    });
    const admin = await logIn(node.url, ADMIN);
    const { token } = await newAccount(node.url, admin, { role: 'medecin', region: 'DKR' });
    await work(async () => {
      const body = { familyName: 'Ndiaye', givenNames: 'Awa', birthDate: '1990-02-03', sex: 'female' };
      const { body: patient } = await call(node.url, 'POST /patients', { token, body });
      return patient.medicalId as string;
    });
    const sent = async () => {
      const { body } = await call(node.url, 'GET /sync/status', { token });
      return body.link.state === 'up' && body.uplink.pending === 0;
    };
    await until(sent, { what: 'everything is sent', timeoutMs: 20_000 });
    await node.remove();
  };
  const expectWhole = async () => {
    expect(await query(loaded.url, PATIENTS)).toEqual(await query(central.url, PATIENTS));
    const entries = await query(loaded.url, OWN);
    expect(await query(central.url, OWN)).toEqual(entries);
    expect(new Set(entries.map(({ origin_seq }) => origin_seq)).size).toBe(entries.length);
    const sets = entries.map(({ incarnation, change_set }) => `${String(incarnation)}.${String(change_set)}`);
    expect(new Set(sets).size).toBe(entries.length);
    return entries;
  };

  it('goes on where it was, in an incarnation of its own', async () => {
    await onNode(home.url, async (create) => {
      for (let i = 0; i < 3; i++) await create();
    });
    await loadDatabase(home.url, loaded.url);
    await onNode(loaded.url, async (create) => {
      for (let i = 0; i < 3; i++) await create();
    });
    const entries = await expectWhole();
    expect(entries.map(({ incarnation }) => incarnation)).toEqual([1, 1, 1, 2, 2, 2]);
    expect(await query(loaded.url, `SELECT code FROM alerts WHERE code LIKE '%RE%ED'`)).toEqual([]);
  }, 60_000);

  it('gets back what was sent after the dump, and gives none of those medical ids again', async () => {
    const given: string[] = [];
    await onNode(home.url, async (create) => {
      for (let i = 0; i < 3; i++) given.push(await create());
    });
    await loadDatabase(home.url, loaded.url);
    await onNode(home.url, async (create) => {
      for (let i = 0; i < 4; i++) given.push(await create());
    });
    await onNode(loaded.url, async (create) => {
      for (let i = 0; i < 3; i++) given.push(await create());
    });
    expect(await expectWhole()).toHaveLength(10);
    expect(new Set(given).size).toBe(10);
    const alerts = await query(loaded.url, 'SELECT code, subject, count FROM alerts');
    expect(alerts).toMatchObject([{ code: 'REGION_RECOVERED', count: '4' }]);
  }, 60_000);
});
