import { call, type Reply } from '../accounts/api.js';
import { ADMIN, logIn } from '../harness/application.js';
import { NodeInProcess } from '../harness/node-in-process.js';
import { until } from '../harness/until.js';
import { smallDisk, type SmallDisk } from './small-disk.js';

/** More than fit into what the last pages of a full disk have left. */
const ATTEMPTS = 300;
const DRAFT = { familyName: 'Sow', givenNames: 'Awa', birthDate: '1990-01-01', sex: 'female' };

describe('a full disk', () => {
  let region: SmallDisk;
  let central: SmallDisk;
  let node: NodeInProcess;
  let token: string;

  const create = (headers: Record<string, string> = {}) =>
    call(node.url, 'POST /patients', { token, body: DRAFT, headers });
  const status = async () => (await call(node.url, 'GET /sync/status', { token })).body;
  const health = async () => {
    const answer = await fetch(`${node.url}/health/ready`);
    return { ready: answer.status, ...((await answer.json()) as any).details.database };
  };
  const ids = async ({ client }: SmallDisk, from: string) =>
    (await client.query<{ id: string }>(`SELECT ${from}`)).rows.map(({ id }) => id).sort();
  const patients = (disk: SmallDisk) => ids(disk, 'id FROM patients');
  const journaled = (disk: SmallDisk) =>
    ids(disk, `entity_id AS id FROM journal WHERE entity = 'patients' AND op = 'insert'`);
  const rows = async ({ client }: SmallDisk) =>
    (await client.query('SELECT to_jsonb(p)::text AS row FROM patients p ORDER BY id')).rows;
  const bothEqual = () =>
    until(async () => JSON.stringify(await rows(region)) === JSON.stringify(await rows(central)), {
      what: 'central has everything',
      timeoutMs: 20_000,
    });
  const nothingHeld = async () => {
    expect((await status()).quarantined).toBe(0);
    expect((await central.client.query('SELECT FROM quarantine')).rowCount).toBe(0);
    expect((await central.client.query('SELECT FROM alerts')).rowCount).toBe(0);
  };

  beforeAll(async () => {
    [region, central] = await Promise.all([smallDisk(), smallDisk()]);
    node = await NodeInProcess.start({
      DATABASE_REGIONALE_URL: region.url,
      DATABASE_DEFAULT_URL: central.url,
    });
    token = await logIn(node.url, ADMIN);
    expect((await create()).status).toBe(201);
    await bothEqual();
  }, 60_000);

  afterAll(async () => {
    await node.remove();
    await Promise.all([region.remove(), central.remove()]);
  });

  it('of the region refuses changes clearly and whole, while reading goes on; with room again, so do changes', async () => {
    const [known] = await patients(region);
    const created = [known];
    await region.fill();

    const refused: Reply[] = [];
    for (let attempt = 0; attempt < ATTEMPTS && refused.length < 5; attempt++) {
      const answer = await create();
      if (answer.status === 201) created.push(answer.body.id);
      else refused.push(answer);
    }
    const keyed = await create({ 'idempotency-key': 'of the full disk' });

    expect(refused).toHaveLength(5);
    for (const { status: code, headers, body } of [...refused, keyed]) {
      expect(code).toBe(507);
      expect(body.type).toMatch(/storage-full$/);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await patients(region)).toEqual(created.sort());
    expect(await journaled(region)).toEqual(created);
    expect((await call(node.url, `GET /patients/${String(known)}`, { token })).status).toBe(200);
    expect((await call(node.url, 'GET /patients?q=sow&total=true', { token })).body.total).toBe(
      created.length,
    );
    expect((await health()).ready).toBe(200);
    if (region.how === 'mounted')
      expect(await health()).toMatchObject({ status: 'up', writable: false, reason: 'storage-full' });
    await bothEqual();

    await region.makeRoom();

    expect(await health()).toEqual({ ready: 200, status: 'up', writable: true });
    const again = await create({ 'idempotency-key': 'of the full disk' });
    expect(again.status).toBe(201);
    expect((await create({ 'idempotency-key': 'of the full disk' })).body.id).toBe(again.body.id);
    expect(await patients(region)).toHaveLength(created.length + 1);
    await bothEqual();
    await nothingHeld();
  }, 60_000);

  it('of central costs the region nothing: changes wait, none is held for a person, and all arrive when there is room', async () => {
    await central.fill();

    const before = (await patients(region)).length;
    let full = false;
    for (let attempt = 0; attempt < ATTEMPTS && !full; attempt++) {
      expect((await create()).status).toBe(201);
      full = (await status()).link.lastError?.code === '53100';
    }
    for (let more = 0; more < 20; more++) expect((await create()).status).toBe(201);

    expect(full).toBe(true);
    expect(await patients(region)).not.toHaveLength(before);
    await until(async () => (await status()).link.state === 'down', { what: 'the link is down' });
    expect((await status()).uplink.pending).toBeGreaterThan(0);
    expect(await patients(central)).toEqual(await journaled(central));
    expect((await health()).ready).toBe(200);
    await nothingHeld();

    await central.makeRoom();

    await bothEqual();
    await until(async () => (await status()).link.state === 'up', { what: 'the link is up' });
    await nothingHeld();
  }, 60_000);

  it('of central under the patients alone, with room for the quarantine, is no reason to put anything there', async () => {
    await central.client.query(`CREATE FUNCTION full_for_patients() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`);
    await central.client.query(
      'CREATE TRIGGER full_for_patients BEFORE INSERT ON patients EXECUTE FUNCTION full_for_patients()',
    );

    for (let count = 0; count < 5; count++) expect((await create()).status).toBe(201);
    await until(async () => (await status()).link.state === 'down', { what: 'the link is down' });
    await nothingHeld();

    await central.client.query('DROP FUNCTION full_for_patients CASCADE');
    await bothEqual();
    await nothingHeld();
  }, 60_000);
});
