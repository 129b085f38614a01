import { randomUUID } from 'node:crypto';
import { openClient, type OwnClient } from '../../src/databases/own-client.js';
import { replicatedTables, type ReplicatedTable } from '../../src/journal/replicated-tables.js';
import {
  noteSignOfLife,
  RegionClaimedError,
  RegionDisabledError,
  registerRegion,
} from '../../src/regions/register-region.js';
import { DataRouter } from '../../src/routing/data-router.js';
import { startApplication, type TestApplication } from '../harness/application.js';

let node: TestApplication;
let tables: ReadonlyMap<string, ReplicatedTable>;
const sessions: OwnClient[] = [];

beforeAll(async () => {
  node = await startApplication({ MEDLINK_NODE: 'central' });
  tables = new Map(replicatedTables(source()).map((table) => [table.name, table]));
});
afterEach(() => {
  for (const session of sessions.splice(0)) session.close();
});
afterAll(() => node.stop());

const source = () => node.app.get(DataRouter).centralSource();
const aNode = (code: string) => ({ code, id: randomUUID(), incarnation: 1 });

/** A relay's session at central. */
async function session() {
  const own = await openClient(source(), 10_000);
  sessions.push(own);
  return own.client;
}

/** A first contact, as a relay makes it: on a session of its own, which a failure ends. */
async function contact(of: ReturnType<typeof aNode>) {
  return registerRegion(await session(), tables, of);
}

async function select(sql: string, ...values: unknown[]): Promise<any[]> {
  return (await node.central.query(sql, values)).rows;
}

const nodesOf = (code: string) => select('SELECT * FROM region_nodes WHERE region = $1', code);
const entriesOf = (code: string) =>
  select(
    `SELECT j.* FROM journal j JOIN regions r ON r.id = j.entity_id WHERE r.code = $1 AND j.entity = 'regions' ORDER BY seq`,
    code,
  );

test('a node that comes with a new code makes its region, which goes to every node', async () => {
  const [first, second] = [aNode('DKR'), aNode('THS')];
  expect(await contact(first)).toBe('registered');
  expect(await contact(second)).toBe('registered');

  const [region] = await select(`SELECT * FROM regions WHERE code = 'THS'`);
  expect(region).toMatchObject({ name: 'THS', enabled: true, version: 1, created_by: 'medlink' });
  const [entry, ...more] = await entriesOf('THS');
  expect(more).toEqual([]);
  expect(entry).toMatchObject({
    origin: 'central',
    op: 'insert',
    actor: 'medlink',
    captured_by: 'application',
  });
  const told = await select('SELECT region FROM deliveries WHERE seq = $1 ORDER BY 1', entry.seq);
  expect(told).toEqual([{ region: 'DKR' }, { region: 'THS' }]);
  expect(await nodesOf('THS')).toMatchObject([{ node_id: second.id, incarnation: 1 }]);
});

test('a node that comes again is known, also with a restored database, and nothing is journaled', async () => {
  const saintLouis = aNode('SLO');
  await contact(saintLouis);
  const [before] = await nodesOf('SLO');
  expect(await contact({ ...saintLouis, incarnation: 2 })).toBe('known');
  const [after] = await nodesOf('SLO');
  expect(after).toMatchObject({
    node_id: saintLouis.id,
    incarnation: 2,
    first_seen_at: before.first_seen_at,
  });
  expect(after.last_seen_at.getTime()).toBeGreaterThanOrEqual(before.last_seen_at.getTime());
  expect(await entriesOf('SLO')).toHaveLength(1);
});

test('another node with the code of a region is refused, and changes nothing', async () => {
  const [matam, impostor] = [aNode('MTM'), aNode('MTM')];
  await contact(matam);
  const refused = contact(impostor);
  await expect(refused).rejects.toThrow(RegionClaimedError);
  await expect(refused).rejects.toMatchObject({ code: 'REGION_CLAIMED', region: 'MTM' });
  expect(await nodesOf('MTM')).toMatchObject([{ node_id: matam.id }]);
  expect(await contact(matam)).toBe('known');
});

test('of many nodes that come at once with one new code, one gets it', async () => {
  const nodes = Array.from({ length: 8 }, () => aNode('KLD'));
  const outcomes = await Promise.allSettled(nodes.map((each) => contact(each)));
  const winners = nodes.filter((_, index) => outcomes[index]!.status === 'fulfilled');
  expect(winners).toHaveLength(1);
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(RegionClaimedError);
  expect(await nodesOf('KLD')).toMatchObject([{ node_id: winners[0]!.id }]);
  expect(await entriesOf('KLD')).toHaveLength(1);
});

test('a contact that is cut in the middle leaves nothing behind', async () => {
  const client = await session();
  const louga = aNode('LGA');
  const cut = Object.assign(Object.create(client) as typeof client, {
    query: (text: string, ...rest: unknown[]) =>
      text === 'COMMIT' ? Promise.reject(new Error('cut')) : (client.query as any)(text, ...rest),
  });
  await expect(registerRegion(cut, tables, louga)).rejects.toThrow('cut');
  for (const own of sessions.splice(0)) own.close();
  expect(await contact(louga)).toBe('registered');
  expect(await entriesOf('LGA')).toHaveLength(1);
});

test('a region that an administrator has added beforehand is there already', async () => {
  await select(
    `INSERT INTO regions VALUES (gen_random_uuid(), 'KDG', 'Kédougou', true, 1, now(), now(), 'admin', 'admin')`,
  );
  expect(await contact(aNode('KDG'))).toBe('known');
  expect(await select(`SELECT name FROM regions WHERE code = 'KDG'`)).toEqual([{ name: 'Kédougou' }]);
});

test('a region that is not enabled is refused, at the first contact and at the next sign of life', async () => {
  const ziguinchor = aNode('ZIG');
  await contact(ziguinchor);
  const client = await session();
  await noteSignOfLife(client, ziguinchor);

  await select(`UPDATE regions SET enabled = false WHERE code = 'ZIG'`);
  await expect(noteSignOfLife(client, ziguinchor)).rejects.toThrow(RegionDisabledError);
  await expect(contact(ziguinchor)).rejects.toMatchObject({ code: 'REGION_DISABLED', region: 'ZIG' });
  await select(`UPDATE regions SET enabled = true WHERE code = 'ZIG'`);
  expect(await contact(ziguinchor)).toBe('known');
});

test('a sign of life says that the node is there, and a released node is told', async () => {
  const [old, other] = [aNode('FTK'), aNode('FTK')];
  await contact(old);
  await select(`UPDATE region_nodes SET last_seen_at = now() - interval '1 hour' WHERE region = 'FTK'`);
  const client = await session();
  await noteSignOfLife(client, old);
  const [{ recent }] = await select(
    `SELECT last_seen_at > now() - interval '1 minute' AS recent FROM region_nodes WHERE region = 'FTK'`,
  );
  expect(recent).toBe(true);

  const token = await node.adminToken();
  const [{ id }] = await select(`SELECT id FROM regions WHERE code = 'FTK'`);
  const release = await fetch(`${node.url}/api/v1/regions/${id}/release`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'a new server' }),
  });
  expect(release.status).toBe(200);
  await expect(noteSignOfLife(client, old)).rejects.toThrow(RegionClaimedError);
  expect(await contact(other)).toBe('known');
  await expect(contact(old)).rejects.toThrow(RegionClaimedError);
});
