import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import { logIn, ADMIN, startApplication, type TestApplication } from '../harness/application.js';
import { call, type CallOptions, newAccount, PASSWORD, type Reply } from './api.js';

let node: TestApplication;
let national: string;
beforeAll(async () => {
  node = await startApplication();
  national = await node.adminToken();
});
afterAll(() => node.stop());

const ask = (request: string, options: CallOptions = {}): Promise<Reply> =>
  call(node.url, request, { token: national, ...options });
const me = (token: string) => ask('GET /auth/me', { token });
const draft = (fields: object = {}) => ({
  email: `person-${Math.random().toString(36).slice(2)}@medlink.example`,
  password: PASSWORD,
  fullName: 'Awa Diop',
  role: 'medecin',
  ...fields,
});
const count = async () => Number((await node.regionale.query('SELECT count(*) FROM users')).rows[0].count);

describe('creating an account', () => {
  test('answers it without its password, and it can sign in', async () => {
    const body = draft({
      email: ' Moussa.Ndiaye@MedLink.example',
      fullName: "Moussa N'Diaye-Ó Súilleabháin",
    });
    const created = await ask('POST /users', { body });
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe(`/api/v1/users/${created.body.id}`);
    expect(created.body).toMatchObject({
      email: 'moussa.ndiaye@medlink.example',
      fullName: "Moussa N'Diaye-Ó Súilleabháin",
      region: 'DKR',
      disabled: false,
      version: 1,
    });
    const read = await ask(`GET /users/${created.body.id}`);
    expect(read.body).toEqual(created.body);
    expect(read.headers.get('etag')).toBe(created.headers.get('etag'));
    expect(JSON.stringify(read.body)).not.toMatch(/argon2/);
    await logIn(node.url, { email: created.body.email, password: PASSWORD });
  });

  test('a retry with the same key creates nothing, with another body it is refused', async () => {
    const before = await count();
    const body = draft();
    const headers = { 'idempotency-key': 'account-1' };
    const [first, retry] = await Promise.all([
      ask('POST /users', { body, headers }),
      ask('POST /users', { body, headers }),
    ]);
    expect([first.status, retry.status]).toEqual([201, 201]);
    expect(retry.body).toEqual(first.body);
    const otherPassword = { ...body, password: 'another-long-pass-phrase' };
    expect((await ask('POST /users', { body: otherPassword, headers })).status).toBe(422);
    expect(await count()).toBe(before + 1);
  });

  test('an e-mail address is taken once, whatever its case', async () => {
    const body = draft({ email: 'twice@medlink.example' });
    expect((await ask('POST /users', { body })).status).toBe(201);
    expect((await ask('POST /users', { body: { ...body, email: 'TWICE@medlink.example' } })).status).toBe(
      409,
    );
  });

  test.each([
    [
      'every bad field at once',
      { email: 'x', role: 'chef', fullName: ' ', region: 'dakar' },
      422,
      ['email', 'fullName', 'region', 'role'],
    ],
    ['an unknown field', { admin: true }, 400, ['admin']],
    ['an id of the client', { id: '0193b1f2-7c4e-7d2a-9a51-3f0c5d8e6b21' }, 400, ['id']],
    ['a number for a name', { fullName: 3 }, 400, ['fullName']],
    ['a short password', { password: 'elevenchars' }, 422, ['password']],
    ['a long password', { password: 'ab c'.repeat(40) }, 422, ['password']],
    ['a common password', { password: 'Qwertyuiop123' }, 422, ['password']],
    ['a clinician without a region', { region: null }, 422, ['region']],
    ['a name with U+0000', { fullName: 'A\0wa' }, 422, ['fullName']],
  ])('refuses %s', async (_, fields, status, paths) => {
    const before = await count();
    const answer = await ask('POST /users', { body: draft(fields) });
    expect(answer.status).toBe(status);
    expect(answer.body.errors.map(({ path }: { path: string }) => path).sort()).toEqual(paths);
    expect(await count()).toBe(before);
  });

  test('a national administrator belongs to no region, an auditor may', async () => {
    const regionOf = async (fields: object) =>
      (await ask('POST /users', { body: draft(fields) })).body.region;
    expect(await regionOf({ role: 'admin_national', region: 'DKR' })).toBeNull();
    expect(await regionOf({ role: 'auditeur' })).toBeNull();
    expect(await regionOf({ role: 'auditeur', region: 'THS' })).toBe('THS');
  });
});

describe('changing an account', () => {
  test('merges what is sent, and gives a new version', async () => {
    const { id } = await newAccount(node.url, national, { role: 'infirmier' });
    const changed = await ask(`PATCH /users/${id}`, {
      body: { fullName: 'Fatou Sarr' },
      headers: { 'if-match': '"v1"' },
    });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({
      fullName: 'Fatou Sarr',
      role: 'infirmier',
      region: 'DKR',
      version: 2,
    });
    expect(changed.headers.get('etag')).toBe('"v2"');
    const same = await ask(`PATCH /users/${id}`, { body: { fullName: 'Fatou Sarr' } });
    expect(same.body).toEqual(changed.body);
  });

  test('a stale version is refused, and a missing one when strictness is asked for', async () => {
    const { id } = await newAccount(node.url, national, { role: 'infirmier' });
    const body = { fullName: 'Other' };
    expect((await ask(`PATCH /users/${id}`, { body, headers: { 'if-match': '"v7"' } })).status).toBe(412);
    expect((await ask(`PATCH /users/${id}`, { body, headers: { prefer: 'handling=strict' } })).status).toBe(
      428,
    );
    expect((await ask(`GET /users/${id}`)).body).toMatchObject({ version: 1, fullName: 'Test infirmier' });
  });

  test.each([
    [{ fullName: null }, 422],
    [{ email: 'new@medlink.example' }, 400],
    [{ disabled: 'yes' }, 400],
    [{ region: null }, 422],
    [{ password: 'motdepasse123' }, 422],
  ])('refuses %j with %i', async (body, status) => {
    const { id } = await newAccount(node.url, national, { role: 'secretaire' });
    expect((await ask(`PATCH /users/${id}`, { body })).status).toBe(status);
    expect((await ask(`GET /users/${id}`)).body.version).toBe(1);
  });

  test('what is only read is told so', async () => {
    const { body: user } = await ask('POST /users', { body: draft() });
    const { status, body } = await ask(`PATCH /users/${user.id}`, {
      body: { email: 'b@c.example', version: 7 },
    });
    expect([status, body.errors]).toEqual([
      400,
      [
        { path: 'email', message: 'is read-only' },
        { path: 'version', message: 'is read-only' },
      ],
    ]);
    expect((await ask(`GET /users/${user.id}`)).body).toEqual(user);
  });

  test('a malformed id is 400, an unknown one 404', async () => {
    expect((await ask('PATCH /users/12', { body: {} })).status).toBe(400);
    expect((await ask('GET /users/0193b1f2-7c4e-7d2a-9a51-3f0c5d8e6b21')).status).toBe(404);
  });

  test('disabling takes effect on the next request, and enabling revives no session', async () => {
    const { id, email, token } = await newAccount(node.url, national, { role: 'medecin' });
    expect((await me(token)).status).toBe(200);
    await ask(`PATCH /users/${id}`, { body: { disabled: true } });
    expect((await me(token)).status).toBe(401);
    await expect(logIn(node.url, { email, password: PASSWORD })).rejects.toThrow('401');
    await ask(`PATCH /users/${id}`, { body: { disabled: false } });
    expect((await me(token)).status).toBe(401);
    expect((await me(await logIn(node.url, { email, password: PASSWORD }))).status).toBe(200);
  });

  test('another role takes effect on the next request, with the same token', async () => {
    const { id, token } = await newAccount(node.url, national, { role: 'medecin' });
    expect((await ask('GET /users', { token })).status).toBe(403);
    await ask(`PATCH /users/${id}`, { body: { role: 'admin_regional' } });
    expect((await ask('GET /users', { token })).status).toBe(200);
    await ask(`PATCH /users/${id}`, { body: { role: 'secretaire' } });
    expect((await ask('GET /users', { token })).status).toBe(403);
    const promoted = await ask(`PATCH /users/${id}`, { body: { role: 'admin_national' } });
    expect(promoted.body).toMatchObject({ role: 'admin_national', region: null });
  });

  test('a new password ends the sessions and replaces the old one', async () => {
    const { id, email, token } = await newAccount(node.url, national, { role: 'medecin' });
    const password = 'another-long-pass-phrase';
    expect((await ask(`PATCH /users/${id}`, { body: { password } })).status).toBe(200);
    expect((await me(token)).status).toBe(401);
    await expect(logIn(node.url, { email, password: PASSWORD })).rejects.toThrow('401');
    await logIn(node.url, { email, password });
  });

  test('nobody takes away their own rights, so that an administrator is left', async () => {
    const { id } = (await me(national)).body;
    for (const body of [{ disabled: true }, { role: 'medecin' }]) {
      expect((await ask(`PATCH /users/${id}`, { body })).status).toBe(409);
    }
    expect((await ask(`PATCH /users/${id}`, { body: { fullName: 'Directrice' } })).status).toBe(200);
  });
});

describe('changing my own password', () => {
  test('needs the current one, keeps this session and ends the others', async () => {
    const { email, token } = await newAccount(node.url, national, { role: 'infirmier' });
    const elsewhere = await logIn(node.url, { email, password: PASSWORD });
    const change = (currentPassword: string, newPassword: string) =>
      ask('POST /auth/password', { token, body: { currentPassword, newPassword } });
    const wrong = await change('not the password', 'another-long-pass-phrase');
    expect([wrong.status, wrong.body.errors[0].path]).toEqual([422, 'currentPassword']);
    const common = await change(PASSWORD, 'azertyuiop123');
    expect([common.status, common.body.errors[0].path]).toEqual([422, 'newPassword']);
    expect((await me(elsewhere)).status).toBe(200);
    expect((await change(PASSWORD, 'another-long-pass-phrase')).status).toBe(204);
    expect((await me(token)).status).toBe(200);
    expect((await me(elsewhere)).status).toBe(401);
    await logIn(node.url, { email, password: 'another-long-pass-phrase' });
  });
});

describe('a regional administrator', () => {
  test('knows, makes and changes the accounts of their region alone', async () => {
    const { token } = await newAccount(node.url, national, { role: 'admin_regional', region: 'THS' });
    const own = await newAccount(node.url, token, { role: 'medecin' });
    const other = await newAccount(node.url, national, { role: 'medecin', region: 'DKR' });
    expect((await ask(`GET /users/${own.id}`, { token })).body.region).toBe('THS');
    expect((await ask(`GET /users/${other.id}`, { token })).status).toBe(404);
    expect((await ask(`PATCH /users/${other.id}`, { token, body: { disabled: true } })).status).toBe(404);
    const { body } = await ask('GET /users?limit=200&total=true', { token });
    expect(new Set(body.items.map(({ region }: { region: string }) => region))).toEqual(new Set(['THS']));
    expect(body.total).toBe(body.items.length);
  });

  test('makes nobody beyond it', async () => {
    const { token } = await newAccount(node.url, national, { role: 'admin_regional', region: 'THS' });
    const own = await newAccount(node.url, token, { role: 'medecin' });
    const before = await count();
    const beyond = [
      { role: 'admin_national' },
      { role: 'auditeur', region: null },
      { role: 'medecin', region: 'DKR' },
    ];
    for (const fields of beyond) {
      expect((await ask('POST /users', { token, body: draft(fields) })).status).toBe(403);
      expect((await ask(`PATCH /users/${own.id}`, { token, body: fields })).status).toBe(403);
    }
    expect(await count()).toBe(before);
    expect((await ask(`GET /users/${own.id}`)).body.version).toBe(1);
  });
});

describe('who sees accounts', () => {
  test.each([
    ['medecin', 403, 403],
    ['specialiste', 403, 403],
    ['infirmier', 403, 403],
    ['secretaire', 403, 403],
    ['auditeur', 200, 403],
    ['admin_regional', 200, 201],
    ['admin_national', 200, 201],
  ])('%s reads: %i, writes: %i', async (role, reads, writes) => {
    const { id, token } = await newAccount(node.url, national, { role });
    expect((await ask('GET /users', { token })).status).toBe(reads);
    expect((await ask(`GET /users/${id}`, { token })).status).toBe(reads);
    expect((await ask('POST /users', { token, body: draft() })).status).toBe(writes);
    const change = await ask(`PATCH /users/${id}`, { token, body: { fullName: 'Me' } });
    expect(change.status).toBe(writes === 201 ? 200 : 403);
  });
});

test('the list goes through every account once, page by page', async () => {
  const seen: string[] = [];
  let path: string | undefined = '/users?limit=3';
  while (path) {
    const { status, body, headers } = await ask(`GET ${path}`);
    expect(status).toBe(200);
    seen.push(...body.items.map(({ email }: { email: string }) => email));
    const link = headers.get('link');
    expect(link === null).toBe(body.nextCursor === null);
    path = link?.match(/^<\/api\/v1([^>]+)>; rel="next"$/)?.[1];
  }
  const { rows } = await node.regionale.query('SELECT email FROM users ORDER BY id');
  expect(seen).toEqual(rows.map(({ email }) => email));
  expect(seen[0]).toBe(ADMIN.email);
  expect((await ask('GET /users?cursor=WzFd')).status).toBe(400);
  expect((await ask('GET /users?limit=201')).status).toBe(422);
  expect((await ask('GET /users?sort=password')).status).toBe(400);
});

test.each(['abc', '', 'a'.repeat(3_000), Buffer.from('["x"]').toString('base64url')])(
  'the list refuses the cursor %s',
  async (cursor) => {
    const { status, body } = await ask(`GET /users?cursor=${cursor}`);
    expect([status, body.errors.map(({ path }: { path: string }) => path)]).toEqual([400, ['cursor']]);
  },
);

test('accounts do not travel: no journal entry, nothing at central', async () => {
  expect((await node.regionale.query(`SELECT FROM journal WHERE entity <> 'regions'`)).rowCount).toBe(0);
  expect((await node.central.query('SELECT FROM users')).rowCount).toBe(0);
});

test('the log tells who changed what on which account, and no secret', async () => {
  const lines: Record<string, unknown>[] = [];
  const log = jest.spyOn(Logger.prototype, 'log').mockImplementation((line: unknown) => {
    lines.push(line as Record<string, unknown>);
  });
  const { id } = await newAccount(node.url, national, { role: 'medecin' });
  const password = 'another-long-pass-phrase';
  await ask(`PATCH /users/${id}`, {
    body: { role: 'secretaire', password },
    headers: { 'x-request-id': 'req-7' },
  });
  log.mockRestore();
  const actor = (await me(national)).body.id;
  expect(lines).toEqual([
    expect.objectContaining({ event: 'account-created', user: id, role: 'medecin', actor }),
    expect.objectContaining({
      event: 'account-changed',
      user: id,
      role: 'secretaire',
      actor,
      requestId: 'req-7',
      fields: ['role', 'passwordHash'],
    }),
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/argon2|pass-phrase|pirogues|@medlink/);
});
