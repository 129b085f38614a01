import pg from 'pg';
import { call, newAccount, type CallOptions } from '../accounts/api.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';
import { TcpProxy } from '../harness/tcp-proxy.js';
import { until } from '../harness/until.js';

const ROLES = [
  ...['medecin', 'specialiste', 'infirmier', 'secretaire', 'admin_regional', 'admin_national', 'auditeur'],
];
const NOBODYS = '01936b5e-7a10-7c3e-8f21-000000000000';

/** A region as a downlink brings it to a regional database: nothing of it is journaled there. */
async function arrive(client: pg.Client, code: string): Promise<string> {
  await client.query(`SET medlink.capture = 'app'`);
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO regions (id, code, name, enabled, version, created_at, updated_at, created_by, updated_by)
     VALUES (gen_random_uuid(), $1, $1, true, 1, now(), now(), 'medlink', 'medlink') RETURNING id`,
    [code],
  );
  await client.query('RESET medlink.capture');
  return rows[0]!.id;
}

const entriesOf = async (client: pg.Client, entityId: string) =>
  (
    await client.query(
      `SELECT seq, origin, op, actor, reason, before, after, captured_by FROM journal
       WHERE entity = 'regions' AND entity_id = $1 ORDER BY seq`,
      [entityId],
    )
  ).rows;

describe('the regions, at central', () => {
  let node: TestApplication;
  let admin: { id: string; token: string };

  beforeAll(async () => {
    node = await startApplication({ MEDLINK_NODE: 'central' });
    admin = await newAccount(node.url, await node.adminToken(), { role: 'admin_national', region: null });
  });
  afterAll(() => node.stop());

  const api = (request: string, options: Omit<CallOptions, 'token'> = {}) =>
    call(node.url, request, { token: admin.token, ...options });

  it('a region that an administrator adds is journaled, and goes to every other region', async () => {
    const first = await api('POST /regions', { body: { code: 'SLO', name: 'Saint-Louis' } });
    expect([first.status, first.headers.get('etag')]).toEqual([201, '"v1"']);
    expect(first.body).toMatchObject({
      code: 'SLO',
      name: 'Saint-Louis',
      enabled: true,
      version: 1,
      node: null,
    });
    const second = await api('POST /regions', { body: { code: 'THS', name: '  Thiès ' } });
    expect(second.headers.get('location')).toBe(`/api/v1/regions/${second.body.id}`);
    expect(second.body.name).toBe('Thiès');

    const [entry, ...others] = await entriesOf(node.central, second.body.id);
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      origin: 'central',
      op: 'insert',
      actor: admin.id,
      captured_by: 'application',
    });
    const { rows } = await node.central.query('SELECT region FROM deliveries WHERE seq = $1 ORDER BY 1', [
      entry.seq,
    ]);
    expect(rows.map(({ region }) => region)).toEqual(['SLO', 'THS']);
  });

  it('is added once, however often the request is repeated, and by one code', async () => {
    const body = { code: 'ZIG', name: 'Ziguinchor' };
    const headers = { 'idempotency-key': 'zig-1' };
    const [first, again] = [
      await api('POST /regions', { body, headers }),
      await api('POST /regions', { body, headers }),
    ];
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const other = await api('POST /regions', { body: { ...body, name: 'Casamance' }, headers });
    expect(other.status).toBe(422);

    const taken = await api('POST /regions', { body });
    expect([taken.status, taken.body.errors[0].path]).toEqual([409, 'code']);
    const { rows } = await node.central.query(`SELECT name FROM regions WHERE code = 'ZIG'`);
    expect(rows).toEqual([{ name: 'Ziguinchor' }]);
  });

  it.each([
    ['no code', { name: 'Louga' }, 422, ['code']],
    ['a code in small letters', { code: 'lga', name: 'Louga' }, 422, ['code']],
    ['a code that is too long', { code: 'LOUGA', name: 'Louga' }, 422, ['code']],
    ['a name of a space, and no code', { name: ' ' }, 422, ['code', 'name']],
    ['a number for a name', { code: 'LGA', name: 7 }, 400, ['name']],
    [
      'what is read-only',
      { code: 'LGA', name: 'Louga', enabled: true, version: 3 },
      400,
      ['enabled', 'version'],
    ],
  ])('is refused with %s', async (_, body, status, paths) => {
    const answer = await api('POST /regions', { body });
    expect([answer.status, answer.body.errors.map(({ path }: { path: string }) => path).sort()]).toEqual([
      status,
      paths,
    ]);
  });

  it('is renamed and stopped by a merge patch on the copy that was read', async () => {
    const { body: region } = await api('POST /regions', { body: { code: 'KLK', name: 'Kaolak' } });
    const path = `/regions/${region.id}`;
    const renamed = await api(`PATCH ${path}`, {
      body: { name: 'Kaolack' },
      headers: { 'if-match': '"v1"' },
    });
    expect([renamed.status, renamed.headers.get('etag')]).toEqual([200, '"v2"']);
    expect(renamed.body).toMatchObject({ name: 'Kaolack', enabled: true, version: 2 });

    const stale = await api(`PATCH ${path}`, { body: { name: 'K' }, headers: { 'if-match': '"v1"' } });
    expect(stale.status).toBe(412);
    const unsaid = await api(`PATCH ${path}`, {
      body: { name: 'K' },
      headers: { prefer: 'handling=strict' },
    });
    expect(unsaid.status).toBe(428);
    const stopped = await api(`PATCH ${path}`, { body: { enabled: false } });
    expect(stopped.body).toMatchObject({ name: 'Kaolack', enabled: false, version: 3 });
    const same = await api(`PATCH ${path}`, { body: { enabled: false, name: 'Kaolack' } });
    expect(same.body.version).toBe(3);

    const read = await api('GET /regions/KLK');
    expect((await api(`GET ${path}`)).body).toEqual(read.body);
    expect([read.headers.get('etag'), read.body.enabled]).toEqual(['"v3"', false]);
    const changes = (await entriesOf(node.central, region.id)).map(({ op, after }) => [
      op,
      after.name,
      after.enabled,
    ]);
    expect(changes).toEqual([
      ['insert', 'Kaolak', true],
      ['update', 'Kaolack', undefined],
      ['update', undefined, false],
    ]);
  });

  it.each([
    [{ code: 'AB' }, 400],
    [{ name: null }, 422],
    [{ enabled: 'no' }, 400],
    [{ colour: 'red' }, 400],
  ])('is not changed by %j', async (body, status) => {
    const { id, version } = (await api('GET /regions')).body.items[0];
    expect((await api(`PATCH /regions/${id}`, { body })).status).toBe(status);
    expect((await api(`GET /regions/${id}`)).body.version).toBe(version);
  });

  it('answers 404 for one that is not there, and 400 for what is no id', async () => {
    for (const request of [`GET /regions/${NOBODYS}`, `PATCH /regions/${NOBODYS}`])
      expect((await api(request, request.startsWith('G') ? {} : { body: {} })).status).toBe(404);
    expect((await api(`POST /regions/${NOBODYS}/release`, { body: { reason: 'x' } })).status).toBe(404);
    expect((await api('GET /regions/XYZ')).status).toBe(404);
    for (const key of ['dkr', 'DAKAR', '7', NOBODYS.slice(1)])
      expect([key, (await api(`GET /regions/${key}`)).status]).toEqual([key, 400]);
  });

  it('are listed by code, page by page', async () => {
    const { body: all } = await api('GET /regions?total=true');
    const codes = all.items.map(({ code }: { code: string }) => code);
    expect(codes).toEqual([...codes].sort());
    expect([all.total, all.nextCursor]).toEqual([codes.length, null]);

    const first = await api('GET /regions?limit=1');
    expect(first.headers.get('link')).toMatch(/^<\/api\/v1\/regions\?limit=1&cursor=\S+>; rel="next"$/);
    const { body: second } = await api(`GET /regions?limit=1&cursor=${first.body.nextCursor}`);
    expect([...first.body.items, ...second.items].map(({ code }) => code)).toEqual(codes.slice(0, 2));
    expect((await api('GET /regions?cursor=x')).status).toBe(400);
  });
});

describe('the nodes of the regions, at central', () => {
  let node: TestApplication;
  let token: string;
  const id = new Map<string, string>();

  beforeAll(async () => {
    node = await startApplication({ MEDLINK_NODE: 'central' });
    token = await node.adminToken();
    for (const code of ['DKR', 'MTM', 'THS'])
      id.set(code, (await call(node.url, 'POST /regions', { token, body: { code, name: code } })).body.id);
    for (const [code, silence, missing] of [
      ['DKR', '1 second', 0],
      ['MTM', '5 minutes', 1],
    ]) {
      await node.central.query(
        `INSERT INTO region_nodes (region, node_id, incarnation, first_seen_at, last_seen_at)
         VALUES ($1, gen_random_uuid(), 1, now() - interval '1 day', now() - $2::interval)`,
        [code, silence],
      );
      await node.central.query(
        `INSERT INTO replication_peers (peer, acknowledged_seq, acknowledged_at)
         SELECT $1, seq, now() - $2::interval FROM deliveries WHERE region = $1 ORDER BY seq DESC OFFSET $3 LIMIT 1`,
        [code, silence, missing],
      );
    }
  });
  afterAll(() => node.stop());

  const list = async () => (await call(node.url, 'GET /regions', { token })).body;

  it('are up, silent or absent, and what each has yet to get is counted', async () => {
    const { items, nodesKnownAt } = await list();
    expect(Math.abs(Date.now() - Date.parse(nodesKnownAt))).toBeLessThan(10_000);
    // Three regions were added: DKR was sent all three, MTM the last two, THS itself.
    expect(items.map(({ code, node }: any) => [code, node.state, node.pendingDown])).toEqual([
      ['DKR', 'up', 0],
      ['MTM', 'silent', 1],
      ['THS', 'absent', 1],
    ]);
    const [dkr, mtm, ths] = items.map(({ node }: any) => node);
    expect([dkr.oldestPendingAt, dkr.appliedAt]).toEqual([null, null]);
    expect(Date.parse(mtm.oldestPendingAt)).toBeGreaterThan(Date.parse(mtm.lastSeenAt));
    expect(ths.lastSeenAt).toBeNull();
  });

  it('are up as well while central applies what they send', async () => {
    await node.central.query(
      `INSERT INTO replication_cursors (origin, incarnation, seq, applied_at) VALUES ('MTM', 1, 7, now())`,
    );
    const { body } = await call(node.url, `GET /regions/${id.get('MTM')}`, { token });
    expect(body.node).toMatchObject({ state: 'up', appliedAt: expect.any(String) });
  });

  it('are let go by an administrator who says why, once', async () => {
    const path = `/regions/${id.get('MTM')}`;
    for (const body of [{}, { reason: '  ' }, { reason: 'x'.repeat(501) }])
      expect((await call(node.url, `POST ${path}/release`, { token, body })).status).toBe(422);
    expect((await list()).items[1].node.state).toBe('up');

    const body = { reason: 'Le serveur de Matam a brûlé' };
    const headers = { 'idempotency-key': 'matam' };
    for (const replayed of [null, 'true']) {
      const answer = await call(node.url, `POST ${path}/release`, { token, body, headers });
      expect([answer.status, answer.headers.get('etag')]).toEqual([200, '"v2"']);
      expect(answer.headers.get('idempotency-replayed')).toBe(replayed);
    }
    // The next node has all of its two entries to get, and the new version of the region.
    expect((await list()).items[1].node).toMatchObject({ state: 'absent', lastSeenAt: null, pendingDown: 3 });
    const entries = await entriesOf(node.central, id.get('MTM')!);
    expect(entries.map(({ op, reason }) => [op, reason])).toEqual([
      ['insert', null],
      ['update', 'Le serveur de Matam a brûlé'],
    ]);
    expect((await call(node.url, `POST ${path}/release`, { token, body })).status).toBe(409);
    expect((await list()).items.map(({ node }: any) => node.state)).toEqual(['up', 'absent', 'absent']);
  });
});

describe('the regions, on a region’s own node', () => {
  let node: TestApplication;
  const tokens = new Map<string, string>();
  let region: string;

  beforeAll(async () => {
    node = await startApplication();
    const admin = await node.adminToken();
    for (const role of ROLES) {
      const account = { role, region: role === 'admin_national' || role === 'auditeur' ? null : 'DKR' };
      tokens.set(role, (await newAccount(node.url, admin, account)).token);
    }
    region = await arrive(node.regionale, 'QQ');
    await until(async () => (await as('auditeur', 'GET /regions')).body.nodesKnownAt, { what: 'central' });
  });
  afterAll(() => node.stop());

  const as = (role: string, request: string, body?: unknown) =>
    call(node.url, request, { token: tokens.get(role)!, body });

  it.each(ROLES)('%s reads them', async (role) => {
    const { status, body } = await as(role, 'GET /regions');
    expect(status).toBe(200);
    expect(body.items.find(({ code }: { code: string }) => code === 'QQ').node.state).toBe('absent');
    expect((await as(role, `GET /regions/${region}`)).status).toBe(200);
  });

  it.each(ROLES.filter((role) => role !== 'admin_national'))('%s does not change them', async (role) => {
    expect((await as(role, 'POST /regions', { code: 'KDG', name: 'Kédougou' })).status).toBe(403);
    expect((await as(role, `PATCH /regions/${region}`, { name: 'K' })).status).toBe(403);
    expect((await as(role, `POST /regions/${region}/release`, { reason: 'x' })).status).toBe(403);
  });

  it('what a national administrator writes there is written at central, and only there', async () => {
    const { status, body } = await as('admin_national', 'POST /regions', { code: 'KDG', name: 'Kédougou' });
    expect(status).toBe(201);
    const [entry] = await entriesOf(node.central, body.id);
    expect(entry).toMatchObject({ origin: 'central', op: 'insert' });
    expect(
      (await node.regionale.query(`SELECT FROM journal WHERE entity = 'regions' AND origin = 'DKR'`))
        .rowCount,
    ).toBe(0);
  });
});

describe('while central is away', () => {
  let node: TestApplication;
  let token: string;
  let region: string;

  beforeAll(async () => {
    node = await startApplication({ DATABASE_DEFAULT_URL: 'postgresql://postgres@127.0.0.1:1/central' });
    token = await node.adminToken();
    region = await arrive(node.regionale, 'QQ');
  });
  afterAll(() => node.stop());

  it('the regions are there, and the state of their nodes is not known', async () => {
    const { status, body } = await call(node.url, 'GET /regions', { token });
    expect([status, body.nodesKnownAt]).toEqual([200, null]);
    expect(body.items).toMatchObject([{ code: 'QQ', node: null }]);
    expect((await call(node.url, `GET /regions/${region}`, { token })).body.node).toBeNull();
  });

  it.each([
    ['POST /regions', { code: 'LGA', name: 'Louga' }],
    ['PATCH /regions/:id', { name: 'Louga' }],
    ['POST /regions/:id/release', { reason: 'x' }],
  ])('%s says when to come back', async (request, body) => {
    const answer = await call(node.url, request.replace(':id', region), { token, body });
    expect([answer.status, answer.body.type]).toEqual([
      503,
      'https://medlink.example/problems/central-unavailable',
    ]);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('a central that is slow', () => {
  let databases: TestDatabases;
  let node: TestApplication;
  let wire: Awaited<ReturnType<typeof TcpProxy.before>>;
  let central: pg.Client;
  let token: string;

  beforeAll(async () => {
    databases = await cloneDatabases();
    wire = await TcpProxy.before(databases.centralUrl);
    node = await startApplication({ DATABASE_DEFAULT_URL: wire.url });
    central = new pg.Client({ connectionString: databases.centralUrl });
    await central.connect();
    token = await node.adminToken();
    await until(async () => (await call(node.url, 'GET /regions', { token })).body.nodesKnownAt, {
      what: 'central',
    });
  });

  afterAll(async () => {
    await node.stop();
    await wire.close();
    await central.end();
    await databases.drop();
  });

  it('is not waited for longer than a person would, and does not do later what was refused', async () => {
    const { body: region } = await call(node.url, 'POST /regions', {
      token,
      body: { code: 'TC', name: 'T' },
    });
    await central.query('BEGIN');
    await central.query('SELECT FROM regions WHERE id = $1 FOR UPDATE', [region.id]);
    const begun = Date.now();
    const answer = await call(node.url, `PATCH /regions/${region.id}`, { token, body: { name: 'Tamba' } });
    expect([answer.status, Date.now() - begun < 8_000]).toEqual([503, true]);

    await central.query('COMMIT');
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'medlink-default'
                     AND state <> 'idle' AND query ~ 'regions'`;
    await until(async () => (await central.query(waiting)).rowCount === 0, { what: 'nobody works on it' });
    expect((await central.query('SELECT name FROM regions WHERE id = $1', [region.id])).rows).toEqual([
      { name: 'T' },
    ]);
  });

  it('leaves the list there when it hangs', async () => {
    await arrive(node.regionale, 'QQ');
    await wire.become('hung');
    const { status, body } = await call(node.url, 'GET /regions', { token });
    expect([status, body.nodesKnownAt]).toEqual([200, null]);
    expect(body.items.map(({ code }: { code: string }) => code)).toContain('QQ');
    await wire.become('up');
  });
});
