import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { connectionOptions, migrationOptions } from '../../ormconfig/connection-options.js';
// Imported for what it brings: the entities and migrations of every module.
import '../../src/app.module.js';
import { migrate, migrateIfNew, SchemaNewerError, SchemaOlderError } from '../../src/databases/migrate.js';
import { CENTRAL, REGIONALE, type ConnectionName } from '../../src/routing/connection-names.js';
import { registeredFeatures } from '../../src/routing/feature.js';
import { RoutingTable } from '../../src/routing/routing-table.js';
import { createEmptyDatabase } from '../harness/databases.js';

const routes = new RoutingTable(registeredFeatures(), 'standalone');

describe('migrations', () => {
  let database: { url: string; drop(): Promise<void> };
  const sources: DataSource[] = [];

  beforeEach(async () => {
    database = await createEmptyDatabase();
  });

  afterEach(async () => {
    for (const source of sources.splice(0)) await source.destroy();
    await database.drop();
  });

  /** The regional database as a MedLink with these migrations besides its own opens it. */
  async function open(
    name: ConnectionName,
    more: (new () => MigrationInterface)[] = [],
  ): Promise<DataSource> {
    const options = migrationOptions(name, database.url, routes);
    const migrations = [...(options.migrations as (new () => MigrationInterface)[]), ...more];
    const source = await new DataSource({ ...options, migrations }).initialize();
    sources.push(source);
    return source;
  }

  async function executed(source: DataSource): Promise<string[]> {
    const rows: { name: string }[] = await source.query('SELECT name FROM migrations ORDER BY id');
    return rows.map(({ name }) => name);
  }

  it.each<ConnectionName>([REGIONALE, CENTRAL])(
    'make the tables that the entities of "%s" describe',
    async (name) => {
      await migrate(await open(name));
      const source = await new DataSource(connectionOptions(name, database.url, routes)).initialize();
      sources.push(source);

      const { upQueries } = await source.driver.createSchemaBuilder().log();

      expect(source.entityMetadatas).not.toHaveLength(0);
      // Indexes on expressions, checks and references are the migrations' own: no entity describes them.
      const extra = /^DROP INDEX|DROP CONSTRAINT/;
      expect(upQueries.map(({ query }) => query).filter((query) => !extra.test(query))).toEqual([]);
    },
  );

  it('run once, when two nodes start at the same time', async () => {
    const [one, other] = [await open(CENTRAL), await open(CENTRAL)];

    await Promise.all([migrate(one), migrate(other)]);

    const names = await executed(one);
    expect(names).toHaveLength(one.migrations.length);
    expect(new Set(names).size).toBe(names.length);
  });

  it('leave nothing behind when one fails, and the version before still opens the database', async () => {
    await migrate(await open(REGIONALE));
    const before = await executed(sources[0]!);
    const upgraded = await open(REGIONALE, [HalfDone9990000000001]);

    await expect(migrate(upgraded)).rejects.toThrow('no_such_table');

    expect(await executed(upgraded)).toEqual(before);
    expect(await upgraded.query(`SELECT to_regclass('half_done') AS table`)).toEqual([{ table: null }]);
    await expect(migrate(await open(REGIONALE))).resolves.toBeUndefined();
  });

  it('of a newer MedLink are refused by name, and nothing is changed', async () => {
    await migrate(await open(REGIONALE, [Future9990000000002]));
    const before = await executed(sources[0]!);
    const old = await open(REGIONALE);

    const refusal = await migrate(old).catch((error: unknown) => error);

    expect(refusal).toBeInstanceOf(SchemaNewerError);
    expect(refusal).toMatchObject({ code: 'SCHEMA_NEWER', unknownMigrations: ['Future9990000000002'] });
    expect(await executed(old)).toEqual(before);
  });

  it('of a central that others look after are only run on an empty database', async () => {
    await migrateIfNew(await open(CENTRAL));
    await expect(migrateIfNew(await open(CENTRAL))).resolves.toBeUndefined();

    const refusal = await migrateIfNew(await open(CENTRAL, [Future9990000000002])).catch(
      (error: unknown) => error,
    );

    expect(refusal).toBeInstanceOf(SchemaOlderError);
    expect(refusal).toMatchObject({ missingMigrations: ['Future9990000000002'] });
    expect(await executed(sources[0]!)).not.toContain('Future9990000000002');
  });

  it('that change patients are journaled by the database', async () => {
    await migrate(await open(REGIONALE));
    await sources[0]!.query(`INSERT INTO node (code) VALUES ('DKR')`);

    await migrate(await open(REGIONALE, [AddPatient9990000000003]));

    const entries: unknown[] = await sources[0]!.query('SELECT entity, op, captured_by FROM journal');
    expect(entries).toEqual([{ entity: 'patients', op: 'insert', captured_by: 'database' }]);
  });
});

const noWayBack = () => Promise.reject(new Error('forward only'));

class HalfDone9990000000001 implements MigrationInterface {
  readonly name = 'HalfDone9990000000001';
  readonly down = noWayBack;

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('CREATE TABLE half_done (id int)');
    await queryRunner.query('SELECT * FROM no_such_table');
  }
}

class Future9990000000002 implements MigrationInterface {
  readonly name = 'Future9990000000002';
  readonly down = noWayBack;

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('CREATE TABLE future (id int)');
  }
}

class AddPatient9990000000003 implements MigrationInterface {
  readonly name = 'AddPatient9990000000003';
  readonly down = noWayBack;

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      INSERT INTO patients (id, medical_id, region, family_name, given_names, birth_date, birth_date_precision, sex,
                            allergies, chronic_conditions, version, created_at, updated_at, created_by, updated_by)
      VALUES (gen_random_uuid(), 'M-1', 'DKR', 'Sow', 'Awa', '1990-01-01', 'day', 'female', '{}', '{}', 1, now(), now(),
              'migration', 'migration')`);
  }
}
