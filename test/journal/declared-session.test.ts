import { DataSource } from 'typeorm';
import { connectionOptions, migrationOptions } from '../../ormconfig/connection-options.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { PatientsRouter } from '../../src/patients/patients.router.js';
import { REGIONALE } from '../../src/routing/connection-names.js';
import { RoutingTable } from '../../src/routing/routing-table.js';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';

/** A pooler may drop the options that a session starts with; then the triggers would journal it too. */
describe('sessions of the application', () => {
  let databases: TestDatabases;
  beforeAll(async () => {
    databases = await cloneDatabases();
  });
  afterAll(() => databases.drop());

  const routes = new RoutingTable([{ entities: [Patient], router: PatientsRouter }], 'standalone');

  it('are refused when the database does not know them as the application’s', async () => {
    const options = connectionOptions(REGIONALE, databases.regionaleUrl, routes);
    const pooled = { ...options, extra: { ...(options.extra as object), options: '-c TimeZone=UTC' } };
    await expect(new DataSource(pooled).initialize()).rejects.toMatchObject({
      code: 'CAPTURE_UNDECLARED',
      message: expect.stringMatching(/pooler.*directly/),
    });
  });

  it('are known to it otherwise; those of migrations need not be', async () => {
    for (const [open, capture] of [
      [connectionOptions, 'app'],
      [migrationOptions, null],
    ] as const) {
      const source = await new DataSource(open(REGIONALE, databases.regionaleUrl, routes)).initialize();
      const [row] = await source.query<[object]>(
        `SELECT nullif(current_setting('medlink.capture', true), '') AS capture`,
      );
      expect(row).toEqual({ capture });
      await source.destroy();
    }
  });
});
