import { MedicalIds } from '../../src/patients/medical-id/medical-ids.js';
import { medicalIdOf } from '../../src/patients/medical-id/medical-id.js';
import type { Config } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/config.js';
import { DataRouter } from '../../src/routing/data-router.js';
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
  const restarted = (config: Config = node.config) => new MedicalIds(node.app.get(DataRouter), config);
  const sequence = async () =>
    Number((await node.regionale.query('SELECT last_value FROM medical_id_seq')).rows[0].last_value);

  it('cost one round trip for a thousand, and none is given twice by two processes at once', async () => {
    const processes = [restarted(), restarted(), restarted()];
    const before = await sequence();
    const ids = await Promise.all(Array.from({ length: 3_000 }, (_, n) => processes[n % 3]!.next()));

    expect(new Set(ids).size).toBe(3_000);
    expect(await sequence()).toBeLessThanOrEqual(before + 3);
  });

  it('pass over what was given already when the database was restored and counts again', async () => {
    const given = await register();
    const earlier = await sequence();
    await node.regionale.query(`SELECT setval('medical_id_seq', $1, false)`, [earlier]);
    const ids = restarted();
    const next = new Set(await Promise.all(Array.from({ length: 1024 }, () => ids.next())));

    expect(next).not.toContain(given);
    expect(await sequence()).toBe(earlier + 1);
  });

  it('pass over one that a client made up in the same form', async () => {
    const given = await register();
    const first = Array.from({ length: 20 * 1024 }, (_, n) => n).find(
      (n) => medicalIdOf('DKR', n) === given,
    )!;
    const next = medicalIdOf('DKR', first + 1);

    expect(await register({ medicalId: next })).toBe(next);
    expect(await register()).toBe(medicalIdOf('DKR', first + 2));
  });

  it('of central never meet those of the region that it registers for', async () => {
    const central = restarted(loadConfig({ MEDLINK_NODE: 'central' }));
    await node.regionale.query(`SELECT setval('medical_id_seq', 5000, false)`);
    const there = await central.next();
    await node.regionale.query(`SELECT setval('medical_id_seq', 5000, false)`);
    const here = await restarted().next();
    expect(there).not.toBe(here);
    expect(here).toBe(medicalIdOf('DKR', 5000 * 1024));
  });
});
