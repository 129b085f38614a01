import { cp, mkdtemp, readdir, rm, symlink, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformFile } from '@swc/core';
import { PROJECT_ROOT } from './project-root.js';

export interface CompiledProject {
  /** Of `src/main.js` and the like. */
  path(file: string): string;
  remove(): Promise<void>;
}

/**
 * The project as plain Node runs it, compiled from the sources of this moment, for tests that start, kill
 * and stop whole processes.
 */
export async function compileProject(): Promise<CompiledProject> {
  const folder = await mkdtemp(join(tmpdir(), 'medlink-compiled-'));
  await chmod(folder, 0o755);
  await symlink(join(PROJECT_ROOT, 'node_modules'), join(folder, 'node_modules'));
  await cp(join(PROJECT_ROOT, 'package.json'), join(folder, 'package.json'));
  for (const part of ['src', 'ormconfig']) await compileFolder(join(PROJECT_ROOT, part), join(folder, part));
  return {
    path: (file) => join(folder, file),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function compileFolder(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, filter: (path) => !path.endsWith('.ts') });
  const entries = await readdir(from, { recursive: true });
  const sources = entries.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  await Promise.all(
    sources.map(async (name) => {
      const { code } = await transformFile(join(from, name), {
        swcrc: false,
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
          experimental: { keepImportAttributes: true },
        },
        module: { type: 'es6' },
      });
      await writeFile(join(to, name.replace(/\.ts$/, '.js')), code);
    }),
  );
}
