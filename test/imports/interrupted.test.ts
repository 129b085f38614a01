import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApplication, type TestApplication } from '../harness/application.js';
import { call } from '../accounts/api.js';
import { until } from '../harness/until.js';
import { count, finished, importAll, send } from './import-api.js';

const LINES = 6_000;
const FILE = Array.from({ length: LINES }, (_, at) =>
  JSON.stringify({
    resourceType: 'Patient',
    id: `p${at}`,
    name: [{ family: `Sarr ${at}`, given: ['Ndeye'] }],
    birthDate: '1975',
  }),
).join('\n');

describe('an import that is interrupted', () => {
  let first: TestApplication;
  let second: TestApplication;
  let id: string;
  let imported: number;

  const urls = () => ({
    DATABASE_REGIONALE_URL: first.config.regionaleUrl!,
    DATABASE_DEFAULT_URL: first.config.centralUrl!,
  });

  beforeAll(async () => {
    first = await startApplication();
  });

  afterAll(async () => {
    await second.stop();
    await first.stop();
  });

  it('by a stop of the node leaves whole batches, and says so', async () => {
    const token = await first.adminToken();
    id = (await send(first.url, FILE, { token })).body.id;
    await until(async () => (await count(first, 'patients')) > 0, { what: 'the first batch is in' });

    await first.app.close();

    imported = await count(first, 'patients');
    expect(imported).toBeLessThan(LINES);
    expect(imported % 200).toBe(0);
    expect(await count(first, `journal WHERE op = 'insert' AND entity = 'patients'`)).toBe(imported);
    const { rows } = await first.regionale.query('SELECT state, error, created FROM imports WHERE id = $1', [
      id,
    ]);
    expect(rows).toEqual([{ state: 'failed', error: expect.stringContaining('stopped'), created: imported }]);
  });

  it('by a crash is marked as failed when the node starts again', async () => {
    await first.regionale.query(`UPDATE imports SET state = 'running', error = NULL, finished_at = NULL`);

    const dataDir = await mkdtemp(join(tmpdir(), 'medlink-left-'));
    const left = join(dataDir, 'imports', id);
    await mkdir(left, { recursive: true });
    await writeFile(join(dataDir, 'imports', 'of-somebody-else.txt'), '');

    second = await startApplication({ ...urls(), MEDLINK_DATA_DIR: dataDir });

    expect(await readdir(join(dataDir, 'imports'))).toEqual(['of-somebody-else.txt']);
    const { body } = await call(second.url, `GET /imports/${id}`, { token: await second.adminToken() });
    expect(body).toMatchObject({ state: 'failed', created: imported, total: imported });
    expect(body.error).toContain('interrupted');
    expect(body.finishedAt).not.toBeNull();
  });

  it('is simply repeated', async () => {
    const token = await second.adminToken();

    const run = await importAll(second.url, FILE, { token });

    expect(run).toMatchObject({
      state: 'done',
      total: LINES,
      created: LINES - imported,
      unchanged: imported,
    });
    expect(await count(first, 'patients')).toBe(LINES);
  }, 90_000);

  it('beside another one of the same file creates nobody twice', async () => {
    const token = await second.adminToken();
    const others = 1_000;
    const other = FILE.split('\n').slice(0, others).join('\n').replaceAll('"p', '"q');
    const runs = await Promise.all([send(second.url, other, { token }), send(second.url, other, { token })]);

    const ended = await Promise.all(runs.map(({ body }) => finished(second.url, token, body.id)));

    expect(ended.map(({ created }) => created).sort()).toEqual([0, others]);
    expect(await count(first, 'patients')).toBe(LINES + others);
  }, 90_000);
});
