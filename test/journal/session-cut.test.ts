import type { Socket } from 'node:net';
import pg from 'pg';
import { verifyDeclared } from '../../ormconfig/declared-capture.js';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';

describe('a new session of the pool', () => {
  let databases: TestDatabases;
  beforeAll(async () => {
    databases = await cloneDatabases();
  });
  afterAll(() => databases.drop());

  it('that is cut while it is looked at fails its user, and not the process', async () => {
    const session = new pg.Client({ connectionString: databases.regionaleUrl });
    await session.connect();
    const { stream } = (session as unknown as { connection: { stream: Socket } }).connection;
    const outcome = await new Promise<Error | undefined>((resolve) => {
      verifyDeclared(session, resolve);
      stream.destroy(new Error('cut'));
    });
    expect(outcome?.message).toMatch(/cut|terminated/);
    await session.end();
  });
});
