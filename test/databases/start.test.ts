import { startApplication, type TestApplication } from '../harness/application.js';
import { CentralConnection } from '../../src/databases/central-connection.js';
import { until } from '../harness/until.js';

describe('a standalone node', () => {
  let node: TestApplication;

  beforeAll(async () => {
    node = await startApplication();
  });

  afterAll(() => node.stop());

  it('claims both databases', async () => {
    const central = node.app.get(CentralConnection);
    await until(() => central.isOpen, { what: 'central is open' });

    expect((await node.regionale.query('SELECT code FROM node')).rows).toEqual([{ code: 'DKR' }]);
    expect((await node.central.query('SELECT code FROM node')).rows).toEqual([{ code: 'central' }]);
  });
});
