import { type CompiledProject, compileProject } from '../harness/compiled.js';
import { NodeProcess } from '../harness/node-process.js';
import { until } from '../harness/until.js';
import { Restorable } from './restorable.js';

const PATIENTS = 1_500;

/** Whatever kills the node while it heals, the next one goes on from there. */
describe('a region that heals and is killed', () => {
  let compiled: CompiledProject;
  let world: Restorable;
  let node: NodeProcess;
  beforeAll(async () => {
    compiled = await compileProject();
    world = await Restorable.startWith(async (environment) => {
      node = await NodeProcess.start(environment, compiled.path('src/main.js'));
      return node;
    });
  }, 60_000);
  afterAll(async () => {
    await world.remove();
    await compiled.remove();
  });

  /** As a script would, one transaction each. */
  const eachInItsOwn = (statement: string) =>
    world.query(
      'region',
      `DO $$ BEGIN FOR n IN 1..${String(PATIENTS)} LOOP ${statement}; COMMIT; END LOOP; END $$`,
    );
  const register = (prefix: string) =>
    eachInItsOwn(`INSERT INTO patients (id, medical_id, region, family_name, given_names, birth_date,
      birth_date_precision, sex, allergies, chronic_conditions, version, created_at, updated_at, created_by, updated_by)
      VALUES (gen_random_uuid(), '${prefix}-' || n, 'DKR', 'Ndiaye', 'Awa', '1990-01-01', 'day', 'female', '{}', '{}',
              1, now(), now(), 'test', 'test')`);
  const progress = async () => {
    const [row] = await world.query<{ incarnation: number; entries: number }>(
      'region',
      `SELECT incarnation, (SELECT count(*)::int FROM journal WHERE origin = 'DKR') AS entries FROM node`,
    );
    return row!;
  };

  it('again and again in the middle: everything is back at the end, once, under what was written since', async () => {
    await register('AVANT');
    await world.settled();
    const backup = await world.backUp('region');
    await register('PERDU');
    await eachInItsOwn(
      `UPDATE patients SET phone = '+22177' || (1000000 + n) WHERE medical_id = 'AVANT-' || n`,
    );
    await world.settled();
    const sent = await world.entries('central');

    await world.wire.become('down');
    await world.restore(backup, 'files put back');
    await world.query('region', `UPDATE patients SET notes = 'depuis' WHERE medical_id LIKE 'AVANT-%7'`);
    const moved = (await progress()).entries - PATIENTS;
    await world.wire.become('up');

    const whole = sent.length + moved;
    const seen = new Set<number>();
    while (seen.size < 5) {
      const { entries: before } = await progress();
      if (before === whole) break;
      await until(async () => (await progress()).entries > before, {
        what: 'something came back',
        timeoutMs: 30_000,
      });
      await node.end('SIGKILL');
      seen.add((await progress()).entries);
      await node.restart();
    }
    expect([...seen].filter((entries) => entries < whole).length).toBeGreaterThan(0);

    await world.settled();
    await world.expectWhole();
    expect(await world.entries('central')).toHaveLength(whole);
    const [counted] = await world.query<object>(
      'central',
      `SELECT count(*)::int AS all, count(*) FILTER (WHERE phone IS NOT NULL)::int AS edited,
              count(*) FILTER (WHERE notes = 'depuis' AND phone IS NOT NULL)::int AS since FROM patients`,
    );
    expect(counted).toEqual({ all: 2 * PATIENTS, edited: PATIENTS, since: PATIENTS / 10 });
    const alert = (await world.alerts()).find(({ code }) => code === 'REGION_RECOVERED');
    expect(alert).toMatchObject({ count: 2 * PATIENTS });
  }, 240_000);
});
