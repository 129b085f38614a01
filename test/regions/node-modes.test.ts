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

interface PatientBody {
  id: string;
  version: number;
  email: string | null;
}

/** The deployment of a country: a node for each region, and one for the administration of them all. */
describe('regional nodes and a central node', () => {
  let databases: TestDatabases;
  let second: TestDatabase;
  let nodes: Record<'central' | 'DKR' | 'THS', NodeInProcess>;
  const tokens = new Map<string, string>();

  beforeAll(async () => {
    databases = await cloneDatabases();
    second = await cloneDatabase(REGIONALE);
    const central = { DATABASE_DEFAULT_URL: databases.centralUrl };
    const region = (code: string, url: string) =>
      NodeInProcess.start({
        ...central,
        MEDLINK_NODE: 'regional',
        MEDLINK_REGION: code,
        DATABASE_REGIONALE_URL: url,
      });
    nodes = {
      central: await NodeInProcess.start({ ...central, MEDLINK_NODE: 'central' }),
      DKR: await region('DKR', databases.regionaleUrl),
      THS: await region('THS', second.url),
    };
    for (const [name, node] of Object.entries(nodes)) tokens.set(name, await logIn(node.url, ADMIN));
  });
  afterAll(async () => {
    for (const node of Object.values(nodes)) await node.remove();
    await databases.drop();
    await second.drop();
  });

  const call = (node: keyof typeof nodes, method: string, path: string, body?: object) =>
    fetch(`${nodes[node].url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${tokens.get(node)!}`,
        ...(body && {
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  const json = async <T>(answer: Promise<Response>) => (await answer).json() as Promise<T>;
  const draft = { familyName: 'Fall', givenNames: 'Coumba', birthDate: '1971-05-02', sex: 'female' };

  it('bring a patient of one region to central, an edit of central back, and a copy to another region', async () => {
    const { id } = await json<PatientBody>(call('DKR', 'POST', '/patients', draft));
    await until(async () => (await call('central', 'GET', `/patients/${id}`)).ok, {
      what: 'central has the patient',
    });

    const edited = await call('central', 'PATCH', `/national/patients/${id}`, {
      email: 'coumba@example.org',
    });
    expect(edited.status).toBe(200);
    const email = async (node: 'DKR' | 'THS') =>
      (await json<PatientBody>(call(node, 'GET', `/patients/${id}`))).email;
    await until(async () => (await email('DKR')) === 'coumba@example.org', { what: 'the edit comes down' });

    expect((await call('THS', 'GET', `/patients/${id}`)).status).toBe(404);
    const copied = await call('THS', 'POST', `/national/patients/${id}/copy`, {
      reason: 'Consultation à Thiès',
    });
    expect(copied.status).toBe(202);
    await until(async () => (await call('THS', 'GET', `/patients/${id}`)).ok, { what: 'the copy arrives' });

    expect((await call('THS', 'PATCH', `/patients/${id}`, { email: 'c.fall@example.org' })).status).toBe(200);
    await until(async () => (await email('DKR')) === 'c.fall@example.org', { what: 'the home hears of it' });

    const history = await json<{ items: { entity: string; op: string; origin: string }[] }>(
      call('DKR', 'GET', `/patients/${id}/history`),
    );
    expect(history.items.filter(({ entity }) => entity === 'patients')).toMatchObject([
      { op: 'insert', origin: 'DKR' },
      { op: 'update', origin: 'central' },
      { op: 'update', origin: 'THS' },
    ]);
  });

  it('say at central how each region stands', async () => {
    const listed = await json<{ items: { code: string; node: { state: string } | null }[] }>(
      call('central', 'GET', '/regions'),
    );
    expect(listed.items.map(({ code }) => code)).toEqual(['DKR', 'THS']);
    for (const { node } of listed.items) expect(node).not.toBeNull();
  });

  it('refuse a second node with the code of another', async () => {
    const impostor = await cloneDatabase(REGIONALE);
    const node = await NodeInProcess.start({
      MEDLINK_NODE: 'regional',
      MEDLINK_REGION: 'DKR',
      DATABASE_REGIONALE_URL: impostor.url,
      DATABASE_DEFAULT_URL: databases.centralUrl,
    });
    const client = new pg.Client({ connectionString: databases.centralUrl });
    await client.connect();
    try {
      const token = await logIn(node.url, ADMIN);
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const created = await fetch(`${node.url}/api/v1/patients`, {
        method: 'POST',
        headers,
        body: JSON.stringify(draft),
      });
      expect(created.status).toBe(201);
      const link = async () =>
        (
          (await (await fetch(`${node.url}/api/v1/sync/status`, { headers })).json()) as {
            link: { lastError: { code: string } | null };
          }
        ).link;
      await until(async () => (await link()).lastError?.code === 'REGION_CLAIMED', { what: 'it is refused' });
      const { id } = (await created.json()) as PatientBody;
      expect((await client.query('SELECT FROM patients WHERE id = $1', [id])).rowCount).toBe(0);
    } finally {
      await client.end();
      await node.remove();
      await impostor.drop();
    }
  });
});
