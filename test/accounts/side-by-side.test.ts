import { startApplication, type TestApplication } from '../harness/application.js';
import { call, newAccount } from './api.js';

/** Requests that run at the same time have nothing to do with each other. */
describe('requests side by side', () => {
  let node: TestApplication;
  let people: { id: string; token: string }[];

  beforeAll(async () => {
    node = await startApplication();
    const admin = await node.adminToken();
    people = [];
    for (const role of ['medecin', 'infirmier', 'secretaire'])
      people.push(await newAccount(node.url, admin, { role, region: 'DKR' }));
  });
  afterAll(() => node.stop());

  it('are each answered, and each as the one who asked', async () => {
    const askers = Array.from({ length: 60 }, (_, index) => people[index % people.length]!);
    const answers = await Promise.all(askers.map(({ token }) => call(node.url, 'GET /auth/me', { token })));
    expect(answers.map(({ body }) => body.id)).toEqual(askers.map(({ id }) => id));
  });
});
