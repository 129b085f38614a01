import { createSecretKey } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { PasswordHasher } from '../../src/accounts/passwords/password-hasher.js';
import { ADMIN, startApplication, type TestApplication } from '../harness/application.js';
import { call, type CallOptions, type Reply } from './api.js';

let node: TestApplication;
beforeAll(async () => {
  node = await startApplication();
});
afterAll(() => node.stop());

const ask = (request: string, options?: CallOptions): Promise<Reply> => call(node.url, request, options);
const login = async () => (await ask('POST /auth/login', { body: ADMIN })).body;
const refresh = (refreshToken: string) => ask('POST /auth/refresh', { body: { refreshToken } });
const me = (token: string) => ask('GET /auth/me', { token });

/** As if every refresh so far had been that many seconds earlier. */
async function letTimePass(seconds: number): Promise<void> {
  await node.regionale.query(
    `UPDATE refresh_tokens SET rotated_at = rotated_at - make_interval(secs => $1)`,
    [seconds],
  );
}

describe('signing in', () => {
  test('gives a pair of tokens and the account, without its password', async () => {
    const { status, body, headers } = await ask('POST /auth/login', { body: ADMIN });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(Object.keys(body).sort()).toEqual(['accessToken', 'expiresIn', 'refreshToken', 'user']);
    expect(body.expiresIn).toBeLessThanOrEqual(900);
    expect(body.user).toMatchObject({
      email: ADMIN.email,
      role: 'admin_national',
      region: null,
      disabled: false,
    });
    expect(JSON.stringify(body)).not.toMatch(/password|argon2/i);
    expect((await me(body.accessToken)).body).toEqual(body.user);
  });

  test('does not mind the case of the e-mail address', async () => {
    const { status } = await ask('POST /auth/login', { body: { ...ADMIN, email: ' Admin@MedLink.Local ' } });
    expect(status).toBe(200);
  });

  test('answers an unknown address and a wrong password alike, with the same work', async () => {
    const hashing = jest.spyOn(node.app.get(PasswordHasher), 'verify');
    const wrong = await ask('POST /auth/login', { body: { ...ADMIN, password: 'not the password' } });
    const unknown = await ask('POST /auth/login', {
      body: { email: 'nobody@medlink.local', password: 'any' },
    });
    expect([wrong.status, unknown.status]).toEqual([401, 401]);
    const { requestId: _, ...wrongProblem } = wrong.body;
    expect(unknown.body).toMatchObject(wrongProblem);
    expect(hashing).toHaveBeenCalledTimes(2);
    expect(hashing.mock.calls[1]![0]).toBeUndefined();
    hashing.mockRestore();
  });

  test('the hash for nobody costs what a real one costs, and matches nothing', async () => {
    const hasher = new PasswordHasher();
    const real = await hasher.hash('any password');
    expect(real).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    const nobodys = await (hasher as unknown as { nobodysHash: Promise<string> }).nobodysHash;
    expect(nobodys.split('$').slice(0, 4)).toEqual(real.split('$').slice(0, 4));
    expect(await hasher.verify(undefined, 'any password')).toBe(false);
    expect(await hasher.verify(real, 'any password')).toBe(true);
  });

  test.each([
    [{}, 422, ['email', 'password']],
    [{ email: ADMIN.email, password: 12 }, 400, ['password']],
    [{ ...ADMIN, admin: true }, 400, ['admin']],
    [{ email: 'a\0b@c.d', password: 'x' }, 422, ['email']],
  ])('refuses %j with %i', async (body, status, paths) => {
    const answer = await ask('POST /auth/login', { body });
    expect(answer.status).toBe(status);
    expect(answer.body.errors.map(({ path }: { path: string }) => path).sort()).toEqual(paths);
  });
});

describe('refreshing', () => {
  test('rotates the token, and the new pair works', async () => {
    const first = await login();
    const second = await refresh(first.refreshToken);
    expect(second.status).toBe(200);
    expect(second.body.refreshToken).not.toBe(first.refreshToken);
    expect((await me(second.body.accessToken)).status).toBe(200);
    expect((await refresh(second.body.refreshToken)).status).toBe(200);
  });

  test('a token used again ends the whole session at once', async () => {
    const first = await login();
    const other = await login();
    const second = (await refresh(first.refreshToken)).body;
    await letTimePass(11);
    expect((await refresh(first.refreshToken)).status).toBe(401);
    expect((await me(second.accessToken)).status).toBe(401);
    expect((await refresh(second.refreshToken)).status).toBe(401);
    expect((await me(other.accessToken)).status).toBe(200);
  });

  test('a token used again after its successor was used is no lost answer, however soon', async () => {
    const first = await login();
    const second = (await refresh(first.refreshToken)).body;
    const third = (await refresh(second.refreshToken)).body;
    expect((await refresh(first.refreshToken)).status).toBe(401);
    expect((await me(third.accessToken)).status).toBe(401);
  });

  test('a lost answer can be asked for again within 10 seconds', async () => {
    const first = await login();
    const lost = (await refresh(first.refreshToken)).body;
    await letTimePass(5);
    const again = await refresh(first.refreshToken);
    expect(again.status).toBe(200);
    expect((await me(again.body.accessToken)).status).toBe(200);
    const next = await refresh(again.body.refreshToken);
    expect(next.status).toBe(200);
    expect((await me(lost.accessToken)).status).toBe(200);
  });

  test('two refreshes at once with one token both succeed, on one chain', async () => {
    const first = await login();
    const [one, two] = await Promise.all([refresh(first.refreshToken), refresh(first.refreshToken)]);
    expect([one.status, two.status]).toEqual([200, 200]);
    expect(one.body.refreshToken).toBe(two.body.refreshToken);
  });

  test('an expired token and an unknown one are refused, and end nothing', async () => {
    const { accessToken, refreshToken } = await login();
    expect((await refresh('pZ3V0mYb9rTqX1cKfJ7wLhNe5sAuG2dO8iWvC4xRkQE')).status).toBe(401);
    const expire = `UPDATE refresh_tokens SET expires_at = now() WHERE rotated_at IS NULL`;
    await node.regionale.query(expire);
    expect((await refresh(refreshToken)).status).toBe(401);
    expect((await me(accessToken)).status).toBe(200);
  });

  test('the database keeps no token that could be used', async () => {
    const { refreshToken } = await login();
    const { rows } = await node.regionale.query(
      `SELECT encode(hash, 'escape') || encode(hash, 'base64') AS kept FROM refresh_tokens`,
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.some(({ kept }) => kept.includes(refreshToken))).toBe(false);
  });
});

describe('signing out', () => {
  test('ends the session at once and leaves the others', async () => {
    const mine = await login();
    const other = await login();
    expect((await ask('POST /auth/logout', { token: mine.accessToken })).status).toBe(204);
    expect((await me(mine.accessToken)).status).toBe(401);
    expect((await refresh(mine.refreshToken)).status).toBe(401);
    expect((await ask('POST /auth/logout', { token: mine.accessToken })).status).toBe(401);
    expect((await me(other.accessToken)).status).toBe(200);
  });
});

describe('a token that was not made for this', () => {
  const claims = async () => jwt.decode((await login()).accessToken) as jwt.JwtPayload;
  const key = async () => createSecretKey(await readFile(join(node.config.dataDir, 'jwt-secret')));

  test('the forgeries below differ from a good token in one thing only', async () => {
    const token = jwt.sign(await claims(), await key(), { algorithm: 'HS256' });
    expect((await me(token)).status).toBe(200);
  });

  test.each([
    ['another audience', { aud: 'elsewhere' }],
    ['no audience', { aud: undefined }],
    ['another issuer', { iss: 'somebody' }],
    ['the past', { exp: Math.floor(Date.now() / 1_000) - 1 }],
    ['another use', { use: 'refresh' }],
    ['no use', { use: undefined }],
    ['another account', { sub: '0193b1f2-7c4e-7d2a-9a51-3f0c5d8e6b21' }],
    ['another session', { sid: '0193b1f2-7c4e-7d2a-9a51-3f0c5d8e6b21' }],
  ])('is refused: %s', async (_, change) => {
    const token = jwt.sign(JSON.parse(JSON.stringify({ ...(await claims()), ...change })), await key());
    expect((await me(token)).status).toBe(401);
  });

  test.each(['none', 'HS384', 'HS512'] as const)('is refused: algorithm %s', async (algorithm) => {
    const forged = await claims();
    const token =
      algorithm === 'none'
        ? jwt.sign(forged, '', { algorithm })
        : jwt.sign(forged, await key(), { algorithm });
    expect((await me(token)).status).toBe(401);
  });

  test('is refused: another key, a refresh token, garbage, none', async () => {
    const { accessToken, refreshToken } = await login();
    const otherKey = jwt.sign(await claims(), createSecretKey(Buffer.alloc(48, 'x')));
    for (const token of [otherKey, refreshToken, 'garbage', `${accessToken}x`]) {
      expect((await me(token)).status).toBe(401);
    }
    const anonymous = await ask('GET /auth/me');
    expect(anonymous.status).toBe(401);
    expect(anonymous.headers.get('www-authenticate')).toBe('Bearer');
    expect(anonymous.headers.get('content-type')).toMatch('application/problem+json');
    expect((await refresh(accessToken)).status).toBe(401);
  });

  test('the key is readable by the node alone', async () => {
    const { mode } = await stat(join(node.config.dataDir, 'jwt-secret'));
    expect(mode & 0o777).toBe(0o600);
  });
});
