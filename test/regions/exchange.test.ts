import { randomUUID } from 'node:crypto';
import { call } from '../accounts/api.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { until } from '../harness/until.js';

const AWA = { familyName: 'Diop', givenNames: 'Awa', birthDate: '1987-03-14', sex: 'female' };
/** A sign of life is given every five seconds. */
const SIGN_OF_LIFE = { timeoutMs: 15_000 };

const statusOf = async ({ url }: TestApplication, token: string) =>
  (await call(url, 'GET /sync/status', { token })).body;
const register = async ({ url }: TestApplication, token: string) =>
  (await call(url, 'POST /patients', { token, body: AWA })).body.id as string;
const regionOf = async ({ url }: TestApplication, token: string, code: string) =>
  (await call(url, 'GET /regions', { token })).body.items.find(
    (region: { code: string }) => region.code === code,
  );
const isAtCentral = async ({ central }: TestApplication, id: string) =>
  (await central.query('SELECT FROM patients WHERE id = $1', [id])).rowCount === 1;

describe('a node and its region', () => {
  let node: TestApplication;
  let token: string;
  beforeAll(async () => {
    node = await startApplication();
    token = await node.adminToken();
    await until(async () => (await statusOf(node, token)).link.state === 'up', { what: 'the link is up' });
  });
  afterAll(() => node.stop());

  it('make each other known: the region is listed where it lives, with its node', async () => {
    const region = await until(() => regionOf(node, token, 'DKR'), { what: 'the region came down' });
    expect(region).toMatchObject({ code: 'DKR', name: 'DKR', enabled: true, node: { state: 'up' } });
    const seen = async () => Date.parse((await regionOf(node, token, 'DKR')).node.lastSeenAt);
    const before = await seen();
    await until(async () => (await seen()) > before, { ...SIGN_OF_LIFE, what: 'a sign of life' });
    await until(async () => (await regionOf(node, token, 'DKR')).node.pendingDown === 0, {
      what: 'all came down',
    });
  });

  it('stop exchanging when an administrator says so, also under load, and go on when they do', async () => {
    const { id } = await regionOf(node, token, 'DKR');
    const enable = (enabled: boolean) => call(node.url, `PATCH /regions/${id}`, { token, body: { enabled } });
    expect((await enable(false)).status).toBe(200);
    const refused = async () => {
      await register(node, token);
      return (await statusOf(node, token)).link.lastError?.code === 'REGION_DISABLED';
    };
    await until(refused, { ...SIGN_OF_LIFE, what: 'the exchange stops' });

    const waiting = await register(node, token);
    expect(await statusOf(node, token)).toMatchObject({ link: { state: 'down' } });
    expect(await isAtCentral(node, waiting)).toBe(false);
    expect((await enable(true)).status).toBe(200);
    await until(() => isAtCentral(node, waiting), { ...SIGN_OF_LIFE, what: 'what waited arrives' });
  }, 60_000);

  it('are not taken for another node that claims the code', async () => {
    const stranger = await startApplication({ DATABASE_DEFAULT_URL: node.config.centralUrl! });
    try {
      const strange = await stranger.adminToken();
      const error = async () => (await statusOf(stranger, strange)).link.lastError?.code;
      await until(async () => (await error()) === 'REGION_CLAIMED', { what: 'the stranger is told' });
      const [there, here] = [await register(stranger, strange), await register(node, token)];
      await until(() => isAtCentral(node, here), { what: 'the region works on' });
      expect(await isAtCentral(node, there)).toBe(false);
      expect((await statusOf(stranger, strange)).uplink.pending).toBeGreaterThan(0);
    } finally {
      await stranger.stop();
    }
  });
});

/** A patient of another region, of whom the region DKR has a copy. */
async function copied({ central }: TestApplication, like: string): Promise<string> {
  const id = randomUUID();
  await central.query(
    'INSERT INTO patients SELECT (jsonb_populate_record(p, $1)).* FROM patients p WHERE id = $2',
    [{ id, medical_id: 'THS-1', region: 'THS' }, like],
  );
  await central.query(
    `INSERT INTO hosts (id, patient_id, region, kind, created_at, created_by)
     VALUES (gen_random_uuid(), $1, 'DKR', 'copy', now(), 'test')`,
    [id],
  );
  return id;
}

it('a new node takes the place of one that is lost, and gets back what the region had sent and held', async () => {
  const lost = await startApplication();
  const patient = await register(lost, await lost.adminToken());
  await until(() => isAtCentral(lost, patient), { what: 'central has the patient' });
  const copy = await copied(lost, patient);
  const arrived = async () =>
    (await lost.regionale.query('SELECT FROM patients WHERE id = $1', [copy])).rowCount === 1;
  await until(arrived, { what: 'the copy came down' });
  await lost.app.close();
  const node = await startApplication({ DATABASE_DEFAULT_URL: lost.config.centralUrl! });
  try {
    const token = await node.adminToken();
    const error = async () => (await statusOf(node, token)).link.lastError?.code;
    await until(async () => (await error()) === 'REGION_CLAIMED', { what: 'the new node is refused' });
    const body = { reason: 'Le disque est mort' };
    expect((await call(node.url, 'POST /regions/DKR/release', { token, body })).status).toBe(200);

    for (const id of [patient, copy]) {
      const known = async () => (await call(node.url, `GET /patients/${id}`, { token })).status === 200;
      await until(known, { ...SIGN_OF_LIFE, what: 'the patient is back' });
    }
    const next = await register(node, token);
    await until(() => isAtCentral(lost, next), { ...SIGN_OF_LIFE, what: 'the exchange goes on' });
    const region = await until(() => regionOf(node, token, 'DKR'), { what: 'the region is known again' });
    expect(region).toMatchObject({ version: 2, node: { state: 'up' } });
  } finally {
    await node.stop();
    await lost.stop();
  }
}, 60_000);
