import { Column } from 'typeorm';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import pg from 'pg';
import { migrationOptions } from '../../ormconfig/connection-options.js';
import { migrate } from '../../src/databases/migrate.js';
import { Merge } from '../../src/journal/merge-rule.js';
import { Replicated } from '../../src/journal/replicated.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { REGIONALE } from '../../src/routing/connection-names.js';
import { DataRouter } from '../../src/routing/data-router.js';
import { registeredFeatures } from '../../src/routing/feature.js';
import { RoutingTable } from '../../src/routing/routing-table.js';
import {
  logIn,
  ADMIN,
  serveApplication,
  type TestApplication,
  usualEnvironment,
} from '../harness/application.js';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';
import { until } from '../harness/until.js';
import { aPatient } from '../journal/captured-database.js';

/** What a next version would migrate: a column with a default, and the version of the shape. */
const NEXT_VERSION = [
  `ALTER TABLE patients ADD COLUMN language text NOT NULL DEFAULT 'fr'`,
  `SELECT journal_capture('patients', 'id', 2)`,
];

/**
 * The program of that next version. Decorators are functions: from here on, every application of this process that
 * starts is of it.
 */
function upgradeProgram(): void {
  Column('text', { default: 'fr' })(Patient.prototype, 'language');
  Merge('review')(Patient.prototype, 'language');
  Replicated({ compartment: 'id', schema: 2 })(Patient);
}

const MANY = 1_200;

describe('two sides of different versions', () => {
  let databases: TestDatabases;
  let region: pg.Client;
  let central: pg.Client;
  let node: Pick<TestApplication, 'app' | 'url'>;
  let environment: Record<string, string>;

  const start = async () => {
    node = await serveApplication(environment);
    await until(() => node.app.get(DataRouter).central(Patient), { what: 'central is open' });
  };
  beforeAll(async () => {
    databases = await cloneDatabases();
    environment = {
      ...usualEnvironment('/tmp'),
      MEDLINK_JWT_SECRET: 'a-secret-that-is-long-enough-for-the-tests',
      DATABASE_REGIONALE_URL: databases.regionaleUrl,
      DATABASE_DEFAULT_URL: databases.centralUrl,
    };
    region = new pg.Client({ connectionString: databases.regionaleUrl });
    central = new pg.Client({ connectionString: databases.centralUrl });
    await Promise.all([region.connect(), central.connect()]);
    await start();
  });
  afterAll(async () => {
    await node.app.close();
    await Promise.all([region.end(), central.end()]);
    await databases.drop();
  });

  const call = async (path: string) => {
    const answer = await fetch(`${node.url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${await logIn(node.url, ADMIN)}` },
    });
    return { body: await answer.json(), state: answer.headers.get('x-sync-state') };
  };
  const create = (patient: Patient) =>
    node.app
      .get(DataRouter)
      .transaction(Patient, { actor: 'test' }, (manager) => manager.insert(Patient, patient));
  const rows = async (side: pg.Client) =>
    (await side.query<{ row: object }>('SELECT to_jsonb(p) AS row FROM patients p ORDER BY id')).rows.map(
      ({ row }) => row,
    );
  const whenDelivered = () =>
    until(
      async () => ((await call('/sync/status')).body as { uplink: { pending: number } }).uplink.pending === 0,
      {
        what: 'all is delivered',
        timeoutMs: 20_000,
      },
    );
  const history = async (side: pg.Client, id: string) =>
    (
      await side.query<{ op: string; after: object }>(
        `SELECT op, after FROM journal WHERE entity_id = $1 AND origin = 'DKR' ORDER BY seq`,
        [id],
      )
    ).rows;
  const [old, waiting, newer] = [aPatient(), aPatient(), aPatient()];

  it('what a newer side changes is held, whole and in its lane; everybody else flows, and the status says so', async () => {
    await create(old);
    await whenDelivered();
    for (const sql of NEXT_VERSION) await region.query(sql);
    await region.query(`UPDATE patients SET language = 'wo' WHERE id = $1`, [old.id]);
    await region.query(
      `INSERT INTO patients SELECT (jsonb_populate_record(p, $2)).* FROM patients p WHERE id = $1`,
      [old.id, { id: newer.id, medical_id: newer.medicalId, language: 'ff' }],
    );
    // A transaction that is larger than a chunk.
    await region.query(
      `INSERT INTO patients SELECT (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(), 'medical_id', 'MANY-' || n))).*
       FROM patients p, generate_series(1, ${String(MANY)}) n WHERE p.id = $1`,
      [old.id],
    );
    // Made by what is still the older program, behind what it does not know.
    await node.app.get(DataRouter).forWrite(Patient).save({ id: old.id, notes: 'later', version: 9 });
    await create(waiting);
    await whenDelivered();

    expect(await rows(central)).toMatchObject([{ id: old.id, notes: null }, { id: waiting.id }]);
    expect(await rows(central)).not.toContainEqual(
      expect.objectContaining({ language: expect.anything() as unknown }),
    );
    expect((await call('/sync/status')).body).toMatchObject({
      heldForUpgrade: 3 + MANY,
      quarantined: 0,
      link: { state: 'up' },
    });
    expect((await call(`/patients/${old.id}`)).state).toBe('pending');
    expect((await call(`/patients/${waiting.id}`)).state).toBe('synced');
    const held = (await call('/sync/quarantine?state=held&limit=2')).body as { items: object[] };
    const last = (await call(`/sync/quarantine?state=held&patientId=${old.id}`)).body as { items: object[] };
    expect([...held.items, ...last.items.slice(1)]).toMatchObject([
      { entityId: old.id, code: 'SCHEMA_AHEAD', fields: expect.arrayContaining(['language']) as unknown },
      { entityId: newer.id, code: 'SCHEMA_AHEAD' },
      { entityId: old.id, code: null, fields: expect.arrayContaining(['notes']) as unknown },
    ]);
    expect((await call('/alerts?state=open')).body).toMatchObject({ items: [{ code: 'HELD_FOR_UPGRADE' }] });
  });

  it('when the older side has been upgraded, it is applied by itself, in order, with every field', async () => {
    await node.app.close();
    upgradeProgram();
    for (const sql of NEXT_VERSION) await central.query(sql);
    await start();
    await until(async () => (await rows(central)).length === 3 + MANY, { what: 'what was held is applied' });
    await whenDelivered();
    expect(await rows(central)).toEqual(await rows(region));
    expect(await rows(central)).toContainEqual(
      expect.objectContaining({ id: old.id, language: 'wo', notes: 'later' }),
    );
    expect(await history(central, old.id)).toEqual(await history(region, old.id));
    await until(
      async () => ((await call('/sync/status')).body as { heldForUpgrade: number }).heldForUpgrade === 0,
      {
        what: 'the region hears of it',
      },
    );
    expect((await call('/sync/status')).body).toMatchObject({ quarantined: 0 });
    expect((await call(`/patients/${old.id}`)).state).toBe('synced');
  });

  it('an entry that waited since before a migration gets what the new column declares', async () => {
    await fetch(`${node.url}/api/v1/sync/pause`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await logIn(node.url, ADMIN)}` },
    });
    // As the older program wrote it: without the column, in the older version.
    await region.query('BEGIN');
    await region.query('SET LOCAL session_replication_role = replica');
    const id = uuidv7();
    await region.query(
      `INSERT INTO patients SELECT (jsonb_populate_record(p, $2)).* FROM patients p WHERE id = $1`,
      [waiting.id, { id, medical_id: 'WAITED-1', language: 'fr' }],
    );
    await region.query(
      `INSERT INTO journal (seq, origin, origin_seq, incarnation, change_set, change_set_size, entity, entity_id,
                            patient_id, op, after, knows, actor, at, schema, captured_by)
       SELECT seq, 'DKR', seq, node.incarnation, pg_current_xact_id()::text::bigint, 1, 'patients', p.id, p.id, 'insert',
              to_jsonb(p) - 'language', 0, 'test', clock_timestamp(), 1, 'application'
       FROM nextval('journal_seq') seq, patients p, node WHERE p.id = $1`,
      [id],
    );
    await region.query('COMMIT');
    await fetch(`${node.url}/api/v1/sync/resume`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await logIn(node.url, ADMIN)}` },
    });
    await whenDelivered();
    expect(await rows(central)).toContainEqual(expect.objectContaining({ id, language: 'fr' }));
    expect(await rows(central)).toEqual(await rows(region));
    expect((await central.query(`SELECT FROM quarantine WHERE state <> 'applied'`)).rowCount).toBe(0);
  });

  it('a migration that fails half-way leaves a database on which the version before still starts', async () => {
    await node.app.close();
    const options = migrationOptions(
      REGIONALE,
      databases.regionaleUrl,
      new RoutingTable(registeredFeatures(), 'standalone'),
    );
    const migrations = [...(options.migrations as (new () => MigrationInterface)[]), HalfWay9990000000001];
    const upgraded = await new DataSource({ ...options, migrations }).initialize();
    await expect(migrate(upgraded)).rejects.toThrow('no_such_table');
    await upgraded.destroy();
    await start();
    await create(aPatient());
    await whenDelivered();
    expect(await rows(central)).toEqual(await rows(region));
  });
});

class HalfWay9990000000001 implements MigrationInterface {
  readonly name = 'HalfWay9990000000001';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE patients ADD COLUMN half text');
    await queryRunner.query(`SELECT journal_capture('patients', 'id', 3)`);
    await queryRunner.query('SELECT * FROM no_such_table');
  }

  down(): Promise<void> {
    throw new Error('forward only');
  }
}
