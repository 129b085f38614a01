import { call } from '../accounts/api.js';
import { ADMIN, logIn } from '../harness/application.js';
import { NodeInProcess } from '../harness/node-in-process.js';
import { until } from '../harness/until.js';
import { smallDisk, type SmallDisk } from './small-disk.js';

/** More than fit into what a full disk's last pages have left. */
const ATTEMPTS = 300;

describe('a full disk', () => {
  let region: SmallDisk;
  let central: SmallDisk;
  let node: NodeInProcess;
  let token: string;
  let made = 0;

  const create = (key?: string) => {
    const body = { familyName: `Sow ${String((made += 1))}`, givenNames: 'Awa', birthDate: '1990-01-01', sex: 'female' };
    return call(node.url, 'POST /patients', { token, body, headers: key === undefined ? {} : { 'idempotency-key': key } });
  };
  const status = async () => (await call(node.url, 'GET /sync/status', { token })).body;
  const health = async () => {
    const answer = await fetch(`${node.url}/health/ready`);
    return { status: answer.status, ...((await answer.json()) as any).details.database };
  };
  const ids = async ({ client }: SmallDisk, from: string) =>
    (await client.query<{ id: string }>(`SELECT ${from}`)).rows.map(({ id }) => id).sort();
  const patients = (disk: SmallDisk) => ids(disk, 'id FROM patients');
  const journaled = (disk: SmallDisk) =>
    ids(disk, `entity_id AS id FROM journal WHERE entity = 'patients' AND op = 'insert'`);
  const rows = async ({ client }: SmallDisk) =>
    (await client.query<{ row: string }>('SELECT to_jsonb(p)::text AS row FROM patients p ORDER BY id')).rows;
  const held = async () =>
    (await call(node.url, 'GET /sync/quarantine', { token })).body.items.length + (await status()).quarantined;

  beforeAll(async () => {
    [region, central] = await Promise.all([smallDisk(), smallDisk()]);
    node = await NodeInProcess.start({ DATABASE_REGIONALE_URL: region.url, DATABASE_DEFAULT_URL: central.url });
    token = await logIn(node.url, ADMIN);
    await create();
    await until(async () => (await patients(central)).length === 1, { what: 'central has the first patient' });
  });

  afterAll(async () => {
    await node.remove();
    await Promise.all([region.remove(), central.remove()]);
  });

  it('of the region refuses changes clearly and whole; reading goes on, and so do changes when there is room', async () => {
    const created = await patients(region);
    await region.fill();

    const refused = [];
    for (let attempt = 0; attempt < ATTEMPTS && refused.length < 3; attempt++) {
      const answer = await create('of-the-full-disk');
      if (answer.status === 201) created.push(answer.body.id);
      else refused.push(answer);
      if (answer.status === 201) made += 1;
    }
