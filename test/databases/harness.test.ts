import pg from 'pg';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';

describe('the databases of a test file', () => {
  let databases: TestDatabases;

  beforeAll(async () => {
    databases = await cloneDatabases();
  });

  afterAll(() => databases.drop());

  it('are migrated, and apart', async () => {
    const tables = async (url: string) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      const { rows } = await client.query<{ name: string }>(
        `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
      );
      await client.end();
      return rows.map(({ name }) => name);
    };

    expect(await tables(databases.regionaleUrl)).toEqual(expect.arrayContaining(['journal', 'patients']));
    expect(await tables(databases.centralUrl)).toEqual(expect.arrayContaining(['journal', 'patients']));
    expect(databases.regionaleUrl).not.toBe(databases.centralUrl);
  });
});
