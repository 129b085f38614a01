import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { startApplication, type TestApplication } from '../harness/application.js';
import { count, importAll } from './import-api.js';

const LINES = 3_000;

const patient = (at: number, birthDate = '1975') =>
  JSON.stringify({
    resourceType: 'Patient',
    id: `p${String(at)}`,
    name: [{ family: `Sarr ${String(at)}`, given: ['Ndeye'] }],
    birthDate,
  });

/** Files that are read by a thread of its own. */
describe('a large file', () => {
  let node: TestApplication;
  let token: string;

  beforeAll(async () => {
    node = await startApplication();
    token = await node.adminToken();
  });

  afterAll(() => node.stop());

  it('is imported in its order, and each bad line is told by its number', async () => {
    const bad = [1, 200, 201, 1_999, LINES];
    const lines = Array.from({ length: LINES }, (_, at) =>
      bad.includes(at + 1) ? patient(at, '2023-02-30') : patient(at),
    );

    const run = await importAll(node.url, lines.join('\n'), { token });

    expect(run).toMatchObject({ state: 'done', progress: 1, total: LINES, created: LINES - bad.length });
    expect(run.errors.map(({ line, path }: any) => [line, path])).toEqual(
      bad.map((line) => [line, 'birthDate']),
    );
    const { rows } = await node.regionale.query(
      `SELECT after ->> 'family_name' AS name FROM journal WHERE op = 'insert' AND entity = 'patients' ORDER BY seq`,
    );
    expect(rows.map(({ name }) => Number(name.slice(5)))).toEqual(
      [...lines.keys()].filter((at) => !bad.includes(at + 1)),
    );
  });

  it.each([
    [
      'CSV file that never closes a quotation mark',
      'text/csv',
      Buffer.from(
        `familyName,givenNames,birthDate,sex\n${'Fall,Awa,1990,female\n'.repeat(8_010)}"Secret,A\n`,
      ),
      { created: 1, unchanged: 8_009, error: /line 8012 does not end/ },
    ],
    [
      'compressed file that is damaged',
      'application/fhir+ndjson',
      damaged(gzipSync(incompressible())),
      { created: 0, error: /compressed file is damaged/ },
    ],
  ])('%s fails, says why, and keeps what was read before', async (_, type, body, { error, ...counts }) => {
    const before = await count(node, 'patients');

    const run = await importAll(node.url, body, { token, type });

    expect(run).toMatchObject({ state: 'failed', error: expect.stringMatching(error), ...counts });
    expect(run.error).not.toContain('Secret');
    expect(await count(node, 'patients')).toBe(before + Number(run.created));
  });
});

function incompressible(): string {
  const noise = (at: number) => createHash('sha256').update(String(at)).digest('hex');
  return Array.from({ length: 20_000 }, (_, at) => `{"resourceType":"Observation","id":"${noise(at)}"}`).join(
    '\n',
  );
}

function damaged(bytes: Buffer): Buffer {
  return bytes.subarray(0, Math.floor(bytes.length / 2));
}
