import { DataSource } from 'typeorm';
import { connectionOptions } from '../../ormconfig/connection-options.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { PatientsRouter } from '../../src/patients/patients.router.js';
import { CENTRAL, REGIONALE } from '../../src/routing/connection-names.js';
import { RoutingTable } from '../../src/routing/routing-table.js';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';

describe('the patients table', () => {
  let databases: TestDatabases;

  beforeAll(async () => {
    databases = await cloneDatabases();
  });

  afterAll(() => databases.drop());

  it.each([REGIONALE, CENTRAL] as const)('is what the entity says, on %s', async (name) => {
    const routes = new RoutingTable([{ entities: [Patient], router: PatientsRouter }], 'standalone');
    const url = name === CENTRAL ? databases.centralUrl : databases.regionaleUrl;
    const source = await new DataSource(connectionOptions(name, url, routes)).initialize();
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    await source.destroy();

    expect(source.hasMetadata(Patient)).toBe(true);
    expect(upQueries.map(({ query }) => query).filter((query) => query.includes('patients'))).toEqual([]);
  });
});
