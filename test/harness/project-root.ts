import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where package.json is, for sources as well as for what is compiled into a folder below. */
export const PROJECT_ROOT = rootAbove(import.meta.dirname);

function rootAbove(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  if (folder === dirname(folder)) throw new Error('There is no package.json above the test harness');
  return rootAbove(dirname(folder));
}
