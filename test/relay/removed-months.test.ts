import { call } from '../accounts/api.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { until } from '../harness/until.js';
import { JournalRetention } from '../../src/journal/retention.js';

/** What is removed of a journal for its age, and two databases that exchange journals. */
describe('a journal whose oldest months are removed', () => {
  let node: TestApplication;
  let token: string;

  const status = async () => (await call(node.url, 'GET /sync/status', { token })).body;
  const alerts = async () =>
    (
      await node.regionale.query<{ code: string; subject: string; count: string }>(
        'SELECT code, subject, count FROM alerts',
      )
    ).rows;
  const age = async (client: TestApplication['regionale']) => {
    await client.query('SET session_replication_role = replica');
    await client.query(`UPDATE journal SET at = now() - interval '5 months'`);
    await client.query('SET session_replication_role = origin');
  };
  const register = async (familyName: string): Promise<string> => {
    const body = { familyName, givenNames: 'Awa', birthDate: '1990-01-01', sex: 'female' };
    return (await call(node.url, 'POST /patients', { token, body })).body.id;
  };
  const again = async () => {
    await call(node.url, 'POST /sync/pause', { token });
    await call(node.url, 'POST /sync/resume', { token });
  };
  const positions = async (client: TestApplication['regionale']) =>
    (await client.query<{ seq: string }>('SELECT seq FROM journal ORDER BY seq')).rows.map(({ seq }) =>
      Number(seq),
    );
  const quiet = () =>
    until(
      async () => {
        const { link, uplink, downlink } = await status();
        const [{ behind }] = (
          await node.regionale.query<{ behind: boolean }>(
            `SELECT (SELECT max(j.seq) FROM journal j JOIN node ON node.code = j.origin) > p.acknowledged_seq AS behind
             FROM replication_peers p`,
          )
        ).rows as [{ behind: boolean }];
        return link.state === 'up' && uplink.pending === 0 && downlink.pending === 0 && !behind;
      },
      { what: 'nothing is on its way' },
    );

  beforeEach(async () => {
    node = await startApplication();
    token = await node.adminToken();
    for (const name of ['Sow', 'Ba', 'Fall', 'Sarr']) await register(name);
    await quiet();
  });

  afterEach(() => node.stop());

  it('is not sent on to a central that was restored to before them: that is told, and work goes on', async () => {
    await age(node.regionale);
    await node.app.get(JournalRetention).prune(3);
    const { rows } = await node.central.query<{ seq: string }>(
      `UPDATE replication_cursors SET seq = 1, witness = 'of then' WHERE origin = 'DKR' RETURNING seq`,
    );
    expect(rows).toHaveLength(1);

    await again();

    await until(async () => (await status()).link.lastError?.code === 'JOURNAL_REMOVED', {
      what: 'it is told',
    });
    const id = await register('Diouf');
    await again();
    await until(async () => (await status()).link.state === 'down', { what: 'it is told again' });
    expect((await node.central.query('SELECT FROM patients WHERE id = $1', [id])).rowCount).toBe(0);
    expect(
      (await node.central.query(`SELECT seq FROM replication_cursors WHERE origin = 'DKR'`)).rows,
    ).toEqual([{ seq: '1' }]);
    expect(await alerts()).toEqual([{ code: 'JOURNAL_REMOVED', subject: 'DKR', count: '1' }]);
  });

  it('of central keeps what a region has not said to have, or has changes waiting from before', async () => {
    await node.app.close();
    await age(node.central);
    const before = await positions(node.central);
    const prune = async () =>
      (await node.central.query<{ removed: number }>('SELECT * FROM journal_prune(3, 0, 1000)')).rows[0]!
        .removed;
    const said = (acknowledged: number, neededAfter: number | null) =>
      node.central.query(
        `INSERT INTO replication_peers (peer, acknowledged_seq, needed_after) VALUES ('THS', $1, $2)
         ON CONFLICT (peer) DO UPDATE SET acknowledged_seq = $1, needed_after = $2`,
        [acknowledged, neededAfter],
      );
    await node.central.query(
      `UPDATE replication_peers SET acknowledged_seq = $1, needed_after = $1 WHERE peer = 'DKR'`,
      [before.at(-1)],
    );
    await node.central.query(
      `INSERT INTO replication_cursors (origin, incarnation, seq, applied_at) VALUES ('THS', 1, 0, now())`,
    );

    expect(await prune()).toBe(0);
    await said(before[3]!, null);
    expect(await prune()).toBe(0);
    await said(before[3]!, before[1]!);
    expect(await prune()).toBe(2);
    expect(await positions(node.central)).toEqual(before.slice(2));
    await said(before.at(-1)!, before.at(-1)!);
    expect(await prune()).toBe(before.length - 3);
    expect(await positions(node.central)).toEqual([before.at(-1)]);
  });

  it('of central is not received by a region that was restored to before them', async () => {
    await call(node.url, 'POST /sync/pause', { token });
    await until(async () => (await status()).downlink.pending === null, { what: 'nothing is received' });
    await node.central.query(`UPDATE journal_retention SET through = 3, removed = 3`);
    await node.central.query(`UPDATE replication_peers SET acknowledged_seq = 5 WHERE peer = 'DKR'`);
    await node.regionale.query(`UPDATE replication_cursors SET seq = 2 WHERE origin = 'central'`);

    await call(node.url, 'POST /sync/resume', { token });

    await until(async () => (await alerts()).length > 0, { what: 'it is told' });
    expect(await alerts()).toEqual([{ code: 'JOURNAL_REMOVED', subject: 'central', count: '1' }]);
    expect(
      (await node.regionale.query(`SELECT seq FROM replication_cursors WHERE origin = 'central'`)).rows,
    ).toEqual([{ seq: '2' }]);
  });
});
