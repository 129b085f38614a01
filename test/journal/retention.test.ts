import type pg from 'pg';
import { call } from '../accounts/api.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { until } from '../harness/until.js';
import { JournalRetention } from '../../src/journal/retention.js';

const MONTHS = 3;
const OLD = `now() - interval '5 months'`;

/** Months of the journal that nobody keeps any more. */
describe('journal retention', () => {
  let node: TestApplication;
  let token: string;
  let made = 0;

  const sql = async <T extends object>(text: string, values: unknown[] = []): Promise<T[]> =>
    (await node.regionale.query<T>(text, values)).rows;
  /** Of patients: what else comes down from central meanwhile does not matter here. */
  const positions = async () =>
    (await sql<{ seq: string }>(`SELECT seq FROM journal WHERE entity = 'patients' ORDER BY seq`)).map(
      ({ seq }) => Number(seq),
    );
  const prune = (months = MONTHS) => node.app.get(JournalRetention).prune(months);
  const status = async () => (await call(node.url, 'GET /sync/status', { token })).body;

  /** What happened to the journal is undone by nobody but a superuser who switches its triggers off. */
  const rewrite = async (client: pg.Client, text: string, values: unknown[] = []) => {
    await client.query('SET session_replication_role = replica');
    await client.query(text, values);
    await client.query('SET session_replication_role = origin');
  };
  const age = (condition = 'true', at = OLD) =>
    rewrite(node.regionale, `UPDATE journal SET at = ${at} WHERE ${condition}`);

  const register = async (): Promise<string> => {
    const body = {
      familyName: `Sow ${String((made += 1))}`,
      givenNames: 'Awa',
      birthDate: '1990-01-01',
      sex: 'female',
    };
    const answer = await call(node.url, 'POST /patients', { token, body });
    return answer.body.id;
  };
  const registered = async (count: number): Promise<string[]> => {
    const ids: string[] = [];
    while (ids.length < count) ids.push(await register());
    return ids;
  };
  /** Central has everything, and this database has written that down. */
  const confirmed = () =>
    until(
      async () => {
        const [{ behind }] = (await sql<{ behind: boolean }>(
          `SELECT (SELECT max(j.seq) FROM journal j) > p.acknowledged_seq AS behind FROM replication_peers p`,
        )) as [{ behind: boolean }];
        return !behind;
      },
      { what: 'central has confirmed everything' },
    );

  beforeEach(async () => {
    node = await startApplication();
    token = await node.adminToken();
  });

  afterEach(() => node.stop());

  it('removes whole months, in UTC, and keeps the one that begins at the boundary', async () => {
    await registered(4);
    await confirmed();
    const [first, second, third] = await positions();
    await age(`seq = ${String(first)}`, `journal_kept_since(${String(MONTHS)}) - interval '1 millisecond'`);
    await age(`seq = ${String(second)}`, `journal_kept_since(${String(MONTHS)})`);

    await prune();

    expect((await positions())[0]).toBe(second);
    expect(await positions()).toContain(third);
    await sql(`SET TimeZone = 'Pacific/Auckland'`);
    const [{ since, months }] = (await sql<{ since: string; months: number }>(
      `SELECT to_char(journal_kept_since(${String(MONTHS)}) AT TIME ZONE 'UTC', 'DD HH24:MI:SS.MS') AS since,
              (extract(year FROM age(date_trunc('month', now() AT TIME ZONE 'UTC'),
                                     journal_kept_since(14) AT TIME ZONE 'UTC')) * 12
               + extract(month FROM age(date_trunc('month', now() AT TIME ZONE 'UTC'),
                                        journal_kept_since(14) AT TIME ZONE 'UTC')))::int AS months`,
    )) as [{ since: string; months: number }];
    expect({ since, months }).toEqual({ since: '01 00:00:00.000', months: 14 });
  });

  it('removes nothing that central does not have, says that it is held back, and goes on when central has it', async () => {
    await registered(3);
    await confirmed();
    await call(node.url, 'POST /sync/pause', { token });
    const before = await positions();
    await registered(2);
    await age();

    await prune();

    const left = await positions();
    const waiting = left.filter((seq) => !before.includes(seq));
    expect(waiting).toHaveLength(2);
    expect(left).toEqual([before.at(-1), ...waiting]);
    const { retention } = (await status()) as { retention: { months: null; removed: number } };
    expect(retention.months).toBeNull();
    expect(retention.removed).toBeGreaterThanOrEqual(before.length - 1);

    await call(node.url, 'POST /sync/resume', { token });
    await confirmed();
    await prune();
    expect(await positions()).toEqual([waiting.at(-1)]);
  });

  it('leaves the exchange going: the last confirmed entry stays, and new changes arrive', async () => {
    await registered(3);
    await confirmed();
    await age();
    await prune();
    expect(await positions()).toHaveLength(1);

    await call(node.url, 'POST /sync/pause', { token });
    const id = await register();
    await call(node.url, 'POST /sync/resume', { token });

    await until(
      async () => (await node.central.query('SELECT FROM patients WHERE id = $1', [id])).rowCount === 1,
      {
        what: 'central has the new patient',
      },
    );
    await until(async () => (await status()).link.state === 'up', { what: 'the link is up' });
    expect((await status()).quarantined).toBe(0);
    expect((await call(node.url, `GET /patients/${id}`, { token })).headers.get('x-sync-state')).toBe(
      'synced',
    );
  });

  it('keeps everything of patients about whom a person has to decide', async () => {
    const [held, refused, disputed] = await registered(4);
    await confirmed();
    await age();
    await sql('INSERT INTO quarantined_lanes (lane, entries) VALUES ($1, 1)', [held]);
    await rewrite(
      node.regionale,
      `INSERT INTO quarantine (state, lane, origin, origin_seq, incarnation, change_set, change_set_size, entity,
         entity_id, patient_id, op, knows, actor, at, schema, captured_by)
       SELECT 'refused', $1, 'THS', 1, 1, 1, 1, 'patients', $1, $1, 'update', 0, 'x', now(), 1, 'application'`,
      [refused],
    );
    await rewrite(
      node.regionale,
      `INSERT INTO conflicts (id, patient_id, entity, entity_id, region, kind, severity, state, fields, version,
         created_at, updated_at, created_by, updated_by)
       VALUES (gen_random_uuid(), $1, 'patients', $1, 'DKR', 'fields', 'high', 'open', '{}', 1, now(), now(), 'x', 'x')`,
      [disputed],
    );

    await prune();

    const left = await sql<{ patient_id: string }>(
      'SELECT DISTINCT patient_id FROM journal WHERE entity = $1',
      ['patients'],
    );
    expect(left.map(({ patient_id }) => patient_id)).toEqual(
      expect.arrayContaining([held, refused, disputed]),
    );
    expect((await prune())[0]).toBe(0);
  });

  it('is told by a history: from when on it is complete', async () => {
    const [old, recent] = await registered(3);
    await confirmed();
    const history = async (id: string | undefined) =>
      (await call(node.url, `GET /patients/${String(id)}/history`, { token })).body;
    expect(await history(old)).toMatchObject({ historySince: null, items: [{ op: 'insert' }] });
    await age(`entity_id = '${String(old)}'`);
    await call(node.url, `PATCH /patients/${String(old)}`, { token, body: { phone: '+221771234567' } });
    await confirmed();

    await prune();

    const [{ since }] = (await sql<{ since: Date }>(
      `SELECT journal_kept_since(${String(MONTHS)}) AS since`,
    )) as [{ since: Date }];
    expect(await history(old)).toMatchObject({
      historySince: since.toISOString(),
      items: [{ op: 'update' }],
    });
    expect(await history(recent)).toMatchObject({ historySince: null });
    expect((await status()).retention).toMatchObject({
      removed: 1,
      since: since.toISOString(),
      heldBack: false,
    });
    expect(await (await fetch(`${node.url}/metrics`)).text()).toMatch(
      /^medlink_journal_removed_entries(\{.*\})? 1$/m,
    );
  });

  it('lets nobody else delete', async () => {
    await registered(2);
    await confirmed();
    await age();
    const before = await positions();
    await sql(`CREATE FUNCTION pruned() RETURNS void LANGUAGE plpgsql AS $$
      BEGIN
        -- PL/pgSQL function journal_prune(
        DELETE FROM journal;
      END $$`);
    await sql(`CREATE SCHEMA mine`);
    await sql(`CREATE FUNCTION mine.journal_prune(integer) RETURNS void LANGUAGE plpgsql AS $$
      BEGIN DELETE FROM journal; END $$`);

    for (const attempt of [
      'DELETE FROM journal',
      'DELETE FROM journal WHERE at < now()',
      'SELECT pruned()',
      'SELECT mine.journal_prune(1)',
      `UPDATE journal SET actor = 'nobody'`,
      'TRUNCATE journal',
    ])
      await expect(sql(attempt)).rejects.toMatchObject({ code: 'ML001' });
    await expect(sql('SELECT journal_prune(0, 0, 100)')).rejects.toMatchObject({ code: '22023' });
    await expect(sql('SELECT journal_prune(NULL, 0, 100)')).rejects.toMatchObject({ code: '22023' });
    expect(await positions()).toEqual(before);
  });

  it('in many small transactions removes a whole year', async () => {
    await sql(`SELECT setval('journal_seq', 10000)`);
    const [template] = await registered(2);
    await confirmed();
    await rewrite(
      node.regionale,
      `INSERT INTO journal SELECT (j).* FROM (
         SELECT jsonb_populate_record(journal, jsonb_build_object('seq', n, 'origin_seq', n)) AS j
         FROM journal CROSS JOIN generate_series(1, 3500) n WHERE entity_id = $1) copies`,
      [template],
    );
    await age();
    const before = await positions();

    const [removed] = await prune();

    expect(await positions()).toEqual([before.at(-1)]);
    expect(removed).toBeGreaterThanOrEqual(before.length - 1);
    expect((await status()).retention.removed).toBe(removed);
  });
});
