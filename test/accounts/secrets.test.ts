import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { passwordProblem } from '../../src/accounts/passwords/password-rules.js';
import { productionSecretProblems } from '../../src/accounts/tokens/production-secrets.js';
import { readOrCreateSecret } from '../../src/accounts/tokens/secret-file.js';
import { loadSigningKey } from '../../src/accounts/tokens/signing-key.js';
import { ConfigError, loadConfig } from '../../src/config/config.js';
import { createApp } from '../../src/app.js';
import { CENTRAL, REGIONALE } from '../../src/routing/connection-names.js';
import { ADMIN, logIn, startApplication } from '../harness/application.js';
import { cloneDatabases } from '../harness/databases.js';

const GOOD_SECRET = 'q7Jx0cVb3Lr9TzK1mWn5PsYd8FgHa2Ue4RiOo6Xv';
const production = (env: Record<string, string> = {}) =>
  loadConfig({ NODE_ENV: 'production', MEDLINK_JWT_SECRET: GOOD_SECRET, ...env });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'medlink-secrets-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('production', () => {
  test('starts with a random secret and a good password', () => {
    expect(productionSecretProblems(production())).toEqual([]);
    expect(
      productionSecretProblems(production({ MEDLINK_ADMIN_PASSWORD: 'neuf pirogues a Soumbedioune' })),
    ).toEqual([]);
  });

  test.each([
    ['missing', ''],
    ['too short', GOOD_SECRET.slice(0, 31)],
    ['a placeholder', 'change-me-change-me-change-me-change-me'],
    ['a placeholder', 'your-256-bit-secret-your-256-bit-secret'],
    ['a placeholder', 'a-string-secret-at-least-256-bits-long'],
    ['a placeholder', 'medlink-super-secret-jwt-signing-key-2026'],
    ['a pattern', '0123456701234567012345670123456701234567'],
    ['a pattern', 'x'.repeat(64)],
  ])('refuses a secret that is %s', (_, secret) => {
    expect(productionSecretProblems(production({ MEDLINK_JWT_SECRET: secret }))).toEqual([
      expect.stringMatching(/^MEDLINK_JWT_SECRET .*openssl rand/),
    ]);
  });

  test.each(['admin', 'password1234', 'MedLink-2026!', 'changeme1234', 'Admin@MedLink.local'])(
    'refuses the known administrator password %s',
    (password) => {
      expect(productionSecretProblems(production({ MEDLINK_ADMIN_PASSWORD: password }))).toEqual([
        expect.stringMatching(/^MEDLINK_ADMIN_PASSWORD /),
      ]);
    },
  );

  test('the application does not come up, names every problem and shows no secret', async () => {
    const databases = await cloneDatabases();
    const config = production({
      MEDLINK_JWT_SECRET: 'short-and-known',
      MEDLINK_ADMIN_PASSWORD: 'admin',
      MEDLINK_DATA_DIR: folder,
      MEDLINK_LOG_LEVEL: 'silent',
    });
    const urls = { [REGIONALE]: databases.regionaleUrl, [CENTRAL]: databases.centralUrl };
    const start = createApp(config, urls);
    const error = await start.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).problems).toHaveLength(2);
    expect((error as ConfigError).message).not.toContain('short-and-known');
    expect(await readdir(folder)).not.toContain('jwt-secret');
    await databases.drop();
  });

  test('the same values are good enough elsewhere', async () => {
    const config = loadConfig({ MEDLINK_JWT_SECRET: 'short-and-known' });
    expect((await loadSigningKey(config)).key.symmetricKeySize).toBe(15);
  });
});

describe('a generated secret', () => {
  test('is made once, for the owner alone, by however many processes', async () => {
    const path = join(folder, 'new', 'secret');
    let made = 0;
    const make = () => `secret ${(made += 1)}`;
    const all = await Promise.all(Array.from({ length: 8 }, () => readOrCreateSecret(path, make)));
    expect(new Set(all).size).toBe(1);
    expect(await readOrCreateSecret(path, make)).toBe(all[0]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, 'new'))).toEqual(['secret']);
  });

  test('is the same key after a restart', async () => {
    const config = loadConfig({ MEDLINK_DATA_DIR: folder });
    const [first, second] = [await loadSigningKey(config), await loadSigningKey(config)];
    expect(second.derive('test', 'x')).toEqual(first.derive('test', 'x'));
    expect(first.derive('another purpose', 'x')).not.toEqual(first.derive('test', 'x'));
  });

  test('that is empty is refused, not used', async () => {
    const path = join(folder, 'secret');
    await writeFile(path, '');
    await expect(readOrCreateSecret(path, () => 'new')).rejects.toThrow(path);
  });
});

describe('passwords', () => {
  test.each(['neuf pirogues a Soumbedioune', 'ñandú-ñandú-ñandú', '            a b c d e', 'kJ8#kJ8#kJ8#x'])(
    'accepts %j: length counts, not composition',
    (password) => expect(passwordProblem(password, 'awa@medlink.example')).toBeUndefined(),
  );

  test.each([
    'short',
    'qwertyuiop123',
    'QWERTYUIOP123',
    'motdepasse2026',
    'aaaaaaaaaaaaaaaa',
    'awa.diop@x.sn',
    'awadiop-20262026',
  ])('refuses %j', (password) =>
    expect(passwordProblem(password, 'awa.diop@x.sn')).toEqual(expect.any(String)),
  );

  test('counts characters as people do', () => {
    expect(passwordProblem('🌊🐟⛵🌴🌞🐚🦀🐠🏝🌅🌙', 'a@b.sn')).toMatch('at least 12');
    expect(passwordProblem('x y'.repeat(43), 'a@b.sn')).toMatch('at most 128');
  });
});

describe('the first administrator', () => {
  test('without a password gets a random one, shown once and kept for the owner', async () => {
    const shown: string[] = [];
    const terminal = jest
      .spyOn(process.stdout, 'write')
      .mockImplementation((text) => shown.push(String(text)) > 0);
    const node = await startApplication({ MEDLINK_ADMIN_PASSWORD: '' }).finally(() => terminal.mockRestore());
    try {
      const path = join(node.config.dataDir, 'admin-password');
      const password = await readFile(path, 'utf8');
      expect(password).toMatch(/^[0-9a-z]{26}$/);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(shown.filter((text) => text.includes(password))).toHaveLength(1);
      await logIn(node.url, { email: ADMIN.email, password });
    } finally {
      await node.stop();
    }
  });

  test('is there already: neither replaced nor given another password', async () => {
    const databases = await cloneDatabases();
    const environment = { MEDLINK_DATA_DIR: folder, DATABASE_REGIONALE_URL: databases.regionaleUrl };
    const first = await startApplication(environment);
    await first.stop();
    const second = await startApplication({ ...environment, MEDLINK_ADMIN_PASSWORD: 'quite-another-one' });
    try {
      expect((await logIn(second.url, ADMIN)).length).toBeGreaterThan(0);
      await expect(logIn(second.url, { ...ADMIN, password: 'quite-another-one' })).rejects.toThrow('401');
    } finally {
      await second.stop();
      await databases.drop();
    }
  });
});
