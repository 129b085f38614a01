import pg from 'pg';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';
import { compileProject, type CompiledProject } from '../harness/compiled.js';
import { NodeProcess } from '../harness/node-process.js';
import { until } from '../harness/until.js';

interface Status {
  link: { state: string; pausedBy: string | null };
  uplink: { pending: number };
}

/** The same region started twice by mistake: one sends, the other stands by. */
describe('two processes of one region', () => {
  let project: CompiledProject;
  let databases: TestDatabases;
  let nodes: NodeProcess[];
  let region: pg.Client;
  let central: pg.Client;

  beforeAll(async () => {
    project = await compileProject();
  });
  afterAll(() => project.remove());

  beforeEach(async () => {
    databases = await cloneDatabases();
    const environment = {
      DATABASE_REGIONALE_URL: databases.regionaleUrl,
      DATABASE_DEFAULT_URL: databases.centralUrl,
      MEDLINK_JWT_SECRET: 'a-secret-that-both-of-them-know-and-nobody-else',
    };
    const start = () => NodeProcess.start(environment, project.path('src/main.js'));
    nodes = [await start(), await start()];
    region = new pg.Client({ connectionString: databases.regionaleUrl });
    central = new pg.Client({ connectionString: databases.centralUrl });
    await Promise.all([region.connect(), central.connect()]);
  }, 60_000);
  afterEach(async () => {
    for (const node of nodes) {
      node.signal('SIGCONT');
      await node.remove();
    }
    await Promise.all([region.end(), central.end()]);
    await databases.drop();
  });

  const call = async (node: NodeProcess, method: string, path: string, body?: object) =>
    fetch(`${node.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await node.token()}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(5_000),
    });
  const status = async (node: NodeProcess) =>
    (await (await call(node, 'GET', '/sync/status')).json()) as Status;
  const states = async () => (await Promise.all(nodes.map(status))).map(({ link }) => link.state).sort();
  const theOneThat = async (state: 'up' | 'standby') => {
    const each = await Promise.all(nodes.map(status));
    return nodes[each.findIndex(({ link }) => link.state === state)]!;
  };
  const whenOneLeads = () =>
    until(async () => (await states()).join() === 'standby,up', { what: 'one is up, the other stands by' });
  let made = 0;
  const create = async (node: NodeProcess, count: number) => {
    const answers = [];
    for (let nth = 0; nth < count; nth++) {
      made += 1;
      const patient = { familyName: 'Sow', givenNames: `A${made}`, birthDate: '1990-02-03', sex: 'female' };
      answers.push(await call(node, 'POST', '/patients', { ...patient, medicalId: `TWO-${made}` }));
    }
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 201));
  };
  const rows = async (side: pg.Client) =>
    (await side.query<{ row: object }>('SELECT to_jsonb(p) AS row FROM patients p ORDER BY id')).rows;
  /** Everything has arrived, once, and in its order. */
  const expectAllAtCentral = async () => {
    const own = async (side: pg.Client) =>
      (
        await side.query<{ at: string }>(
          `SELECT origin_seq AS at FROM journal WHERE origin = 'DKR' ORDER BY seq`,
        )
      ).rows.map(({ at }) => at);
    await until(async () => (await own(central)).length >= (await own(region)).length, {
      what: 'central has the whole journal',
      timeoutMs: 20_000,
    });
    expect(await own(central)).toEqual(await own(region));
    expect(await rows(central)).toEqual(await rows(region));
  };

  it('one sends and the other stands by; when the first ends, the other goes on at once', async () => {
    await whenOneLeads();
    await Promise.all(nodes.map((node) => create(node, 5)));
    await expectAllAtCentral();
    // Also the one that stands by knows what central has.
    await until(
      async () => (await Promise.all(nodes.map(status))).every(({ uplink }) => uplink.pending === 0),
      {
        what: 'both say that nothing is pending',
      },
    );

    const [leader, heir] = [await theOneThat('up'), await theOneThat('standby')];
    await leader.end('SIGKILL');
    const begun = performance.now();
    await until(async () => (await status(heir)).link.state === 'up', { what: 'the other one sends' });
    expect(performance.now() - begun).toBeLessThan(3_000);
    await create(heir, 5);
    await expectAllAtCentral();
  }, 60_000);

  it('one that was stopped for a while is replaced, and has no effect when it is woken', async () => {
    await whenOneLeads();
    const [sleeper, heir] = [await theOneThat('up'), await theOneThat('standby')];
    await create(sleeper, 3);
    sleeper.signal('SIGSTOP');
    await create(heir, 5);
    await until(async () => (await status(heir)).link.state === 'up', {
      what: 'the other one sends in its place',
      timeoutMs: 20_000,
    });
    await expectAllAtCentral();
    sleeper.signal('SIGCONT');
    await create(heir, 5);
    await until(async () => (await status(sleeper)).link.state === 'standby', {
      what: 'the woken one stands by',
    });
    await create(sleeper, 5);
    await expectAllAtCentral();
    expect((await status(heir)).link.state).toBe('up');
  }, 60_000);

  it('a pause that one of them is told holds for both, within two seconds, and so does its end', async () => {
    await whenOneLeads();
    const [leader, other] = [await theOneThat('up'), await theOneThat('standby')];
    expect((await call(other, 'POST', '/sync/pause')).status).toBe(200);
    await until(async () => (await states()).join() === 'paused,paused', {
      what: 'both are paused',
      timeoutMs: 2_000,
    });
    await create(leader, 3);
    expect(await rows(central)).toEqual([]);
    expect((await status(leader)).link.pausedBy).toBe('admin@medlink.local');
    expect((await call(leader, 'POST', '/sync/resume')).status).toBe(200);
    await whenOneLeads();
    await expectAllAtCentral();
  }, 60_000);
});
