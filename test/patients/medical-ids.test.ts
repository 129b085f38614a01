import { MedicalIds } from '../../src/patients/medical-id/medical-ids.js';
import { RecoverySteps } from '../../src/journal/recovery-steps.js';
import { blocksOfTime } from '../../src/patients/medical-id/blocks.js';
import { medicalIdOf, numberOf } from '../../src/patients/medical-id/medical-id.js';
import { SPACE } from '../../src/patients/medical-id/scramble.js';
import type { Config } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/config.js';
import { DataRouter } from '../../src/routing/data-router.js';
import { until } from '../harness/until.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { call } from '../accounts/api.js';

const AWA = { familyName: 'Diop', givenNames: 'Awa', birthDate: '1987-03-14', sex: 'female' };

describe('the medical ids of a node', () => {
  let node: TestApplication;
  let token: string;

  beforeAll(async () => {
    node = await startApplication();
    token = await node.adminToken();
  });

  afterAll(() => node.stop());

  const register = async (fields: object = {}) =>
    (await call(node.url, 'POST /patients', { token, body: { ...AWA, ...fields } })).body.medicalId as string;
  const restarted = (config: Config = node.config) =>
    new MedicalIds(node.app.get(DataRouter), config, new RecoverySteps());
  const sequence = async () =>
    Number((await node.regionale.query('SELECT last_value FROM medical_id_seq')).rows[0].last_value);

  it('cost few round trips for a thousand, and none is given twice by two processes at once', async () => {
    const processes = [restarted(), restarted(), restarted()];
    const before = await sequence();
    const ids = await Promise.all(Array.from({ length: 3_000 }, (_, n) => processes[n % 3]!.next()));

    expect(new Set(ids).size).toBe(3_000);
    const blocks = ids.map((id) => Math.floor(numberOf('DKR', id)! / 32)).sort((a, b) => a - b);
    expect(blocks[0]).toBeGreaterThan(before);
    // Each process draws 1, 2, 4 … blocks of 32.
    expect(await sequence()).toBeLessThanOrEqual(blocks[0]! + 3 * (1 + 2 + 4 + 8 + 16 + 32));
  });

  it('pass over what was given already when the database was restored and counts again', async () => {
    // Far ahead of the clock, so that the clock alone does not pass over it.
    await node.regionale.query(`SELECT setval('medical_id_seq', $1, false)`, [9_000_000_000]);
    const first = medicalIdOf('DKR', 9_000_000_000 * 32 + 5);
    await register({ medicalId: first });
    const ids = restarted();
    const next = [await ids.next(), ...(await Promise.all(Array.from({ length: 999 }, () => ids.next())))];

    expect(next[0]).toBe(medicalIdOf('DKR', 9_000_000_001 * 32));
    expect(next).not.toContain(first);
  });

  it('pass over all that a restored database may have given since: time has passed over it', async () => {
    await node.regionale.query(`SELECT setval('medical_id_seq', 0, false)`);
    const given = numberOf('DKR', await restarted().next())!;
    await node.regionale.query(`SELECT setval('medical_id_seq', 0, false)`);
    const ticked = blocksOfTime();
    await until(() => blocksOfTime() > ticked, { what: 'a quarter of a second' });
    expect(numberOf('DKR', await restarted().next())).toBeGreaterThan(given);
  });

  it('pass over one that a client made up in the same form', async () => {
    const first = numberOf('DKR', await register())!;
    const next = medicalIdOf('DKR', first + 1);

    expect(await register({ medicalId: next })).toBe(next);
    expect(await register()).toBe(medicalIdOf('DKR', first + 2));
  });

  it('of central never meet those of the region that it registers for', async () => {
    const central = restarted(loadConfig({ MEDLINK_NODE: 'central' }));
    const there = numberOf('DKR', await central.next())!;
    const here = numberOf('DKR', await restarted().next())!;
    expect(here).toBeLessThan(SPACE / 2);
    expect(there).toBeGreaterThanOrEqual(SPACE / 2);
  });

  it('can be read back to the number that they were made of, and nothing else can', () => {
    for (const number of [0, 1, 31, 32, 2 ** 39, 2 ** 40 - 1])
      expect(numberOf('DKR', medicalIdOf('DKR', number))).toBe(number);
    for (const other of ['CARTE-77', medicalIdOf('THS', 5), `${medicalIdOf('DKR', 5)}-X`, 'DKR-0000-0000-9'])
      expect(numberOf('DKR', other)).toBeUndefined();
  });
});
