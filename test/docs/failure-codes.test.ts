import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FAILURES, failureOf } from '../../src/observability/failures/failure-codes.js';
import type { Failure } from '../../src/observability/failures/failure.js';
import { PROJECT_ROOT } from '../harness/project-root.js';
import { withTables } from './generated-tables.js';

const DOCUMENTS = ['docs/operations.md', 'docs/replication.md'];
/** `npm run docs` writes the tables; without it, they are only compared. */
const WRITES = process.env.MEDLINK_WRITE_DOCS === 'true';

async function sources(): Promise<string[]> {
  const folders = await Promise.all(
    ['src', 'ormconfig'].map(async (folder) => {
      const files = await readdir(join(PROJECT_ROOT, folder), { recursive: true });
      return files.filter((file) => file.endsWith('.ts')).map((file) => join(PROJECT_ROOT, folder, file));
    }),
  );
  return Promise.all(folders.flat().map((file) => readFile(file, 'utf8')));
}

describe('the codes of failures', () => {
  it.each(DOCUMENTS)('%s has the tables that are made of the sources', async (document) => {
    const file = join(PROJECT_ROOT, document);
    const text = await readFile(file, 'utf8');
    const made = await withTables(text);
    if (WRITES) await writeFile(file, made);
    else expect(text).toBe(made);
    expect(made).toContain('<!-- begin: ');
  });

  it('are listed, for every error and every alert that has one', async () => {
    const written = (await sources()).join('\n');
    const codes = [
      ...written.matchAll(/readonly code = '(\w+)'/g),
      ...written.matchAll(/ERRCODE = '(ML00[1-9])'/g),
    ];
    expect(codes.length).toBeGreaterThan(15);
    // An import tells its own failures in its findings.
    const unlisted = codes.map(([, code]) => code!).filter((code) => !failureOf(code));
    expect(unlisted).toEqual([]);
  });

  it('have a meaning and a remedy in both languages', () => {
    for (const [code, { meaning, remedy }] of Object.entries<Failure>(FAILURES))
      for (const text of [meaning.fr, meaning.en, remedy.fr, remedy.en])
        expect({ code, text }).toEqual({ code, text: expect.stringMatching(/\S.{8,}[.»]$/) as string });
  });

  it('point to sections that are there', async () => {
    const text = await readFile(join(PROJECT_ROOT, 'docs/operations.md'), 'utf8');
    const sections = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      title!
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    );
    const wanted = Object.values<Failure>(FAILURES).flatMap(({ see }) => see ?? []);
    expect(wanted.length).toBeGreaterThan(3);
    expect(sections).toEqual(expect.arrayContaining(wanted));
  });
});
