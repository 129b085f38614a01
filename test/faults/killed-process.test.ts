import pg from 'pg';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';
import { NodeProcess } from '../harness/node-process.js';
import { until } from '../harness/until.js';

const KILLS = 10;
const WRITERS = 8;
/** How fetch says that the connection broke: before the answer, and in the middle of it. */
const BROKEN = new Set(['fetch failed', 'terminated']);

/** Nothing lost, nothing twice, whenever the process dies. */
describe('a process that is killed under load', () => {
  let databases: TestDatabases;
  let node: NodeProcess;
  let region: pg.Client;
  let central: pg.Client;

  beforeAll(async () => {
    databases = await cloneDatabases();
    node = await NodeProcess.start({
      DATABASE_REGIONALE_URL: databases.regionaleUrl,
      DATABASE_DEFAULT_URL: databases.centralUrl,
    });
    region = new pg.Client({ connectionString: databases.regionaleUrl });
    central = new pg.Client({ connectionString: databases.centralUrl });
    await Promise.all([region.connect(), central.connect()]);
  }, 60_000);
  afterAll(async () => {
    await node.remove();
    await Promise.all([region.end(), central.end()]);
    await databases.drop();
  });

  let made = 0;
  /** Creates one after the other until the node does not answer any more; gives the ids of those answered 201. */
  const createUntilItDies = async (token: string) => {
    const created: string[] = [];
    for (;;) {
      made += 1;
      try {
        const answer = await fetch(`${node.url}/api/v1/patients`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({
            medicalId: `KILL-${String(made)}`,
            familyName: 'Ndiaye',
            givenNames: `Awa ${String(made)}`,
            birthDate: '1990-02-03',
            sex: 'female',
          }),
        });
        const body = (await answer.json()) as { medicalId: string; type: string };
        if (answer.status === 201) created.push(body.medicalId);
        else if (body.type.endsWith('/shutting-down')) return created;
        else throw new Error(`POST /patients answered ${String(answer.status)}: ${JSON.stringify(body)}`);
      } catch (error) {
        if (BROKEN.has((error as Error).message)) return created;
        throw error;
      }
    }
  };
  const medicalIds = async (side: pg.Client) =>
    (await side.query<{ id: string }>('SELECT medical_id AS id FROM patients ORDER BY 1')).rows.map(
      ({ id }) => id,
    );

  it(`${String(KILLS)} times: every create that was answered 201 is on both sides, once`, async () => {
    const answered: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      if (kill > 0) await node.restart();
      const token = await node.token();
      const before = answered.length;
      const writers = Array.from({ length: WRITERS }, () => createUntilItDies(token));
      const target = made + 60 + kill * 13;
      await until(() => made >= target, { what: 'enough writes before the kill', timeoutMs: 30_000 });
      await node.end('SIGKILL');
      answered.push(...(await Promise.all(writers)).flat());
      expect(answered.length).toBeGreaterThan(before);
    }
    await node.restart();
    const last = Number(
      (await region.query<{ last: string }>('SELECT max(seq) AS last FROM journal')).rows[0]!.last,
    );
    await until(
      async () => {
        const cursor = await central.query<{ seq: string }>('SELECT seq FROM replication_cursors');
        return Number(cursor.rows[0]?.seq) === last;
      },
      { what: 'central has the whole journal' },
    );

    const inRegion = await medicalIds(region);
    expect(inRegion).toEqual(expect.arrayContaining(answered));
    expect(new Set(inRegion).size).toBe(inRegion.length);
    expect(await medicalIds(central)).toEqual(inRegion);
    const entries = await central.query<{ all: number; once: number }>(
      `SELECT count(*)::int AS all, count(DISTINCT origin_seq)::int AS once FROM journal WHERE entity = 'patients'`,
    );
    expect(entries.rows[0]).toEqual({ all: inRegion.length, once: inRegion.length });
  }, 300_000);

  it('told to stop under load, it ends within ten seconds with exit code 0, and loses nothing that it answered', async () => {
    const token = await node.token();
    const writers = Array.from({ length: WRITERS }, () => createUntilItDies(token));
    const target = made + 100;
    await until(() => made >= target, { what: 'load' });
    const begun = Date.now();
    expect(await node.end('SIGTERM')).toBe(0);
    expect(Date.now() - begun).toBeLessThan(10_000);
    const answered = (await Promise.all(writers)).flat();
    expect(await medicalIds(region)).toEqual(expect.arrayContaining(answered));
  }, 60_000);
});
