// Builds only when a source is newer than the last build, so that `npm start` is quick. With `--always`, builds.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const STAMP = join(root, 'dist', '.built');
const SOURCES = ['src', 'ormconfig', 'bench', 'tsconfig.json', 'package.json'];

const builtAt = modified(STAMP);
const complete = modified(join(root, 'dist', 'src', 'main.js')) > 0;
const asked = process.argv.includes('--always');
if (asked || !complete || SOURCES.some((source) => newerThan(builtAt, join(root, source)))) build();

function build() {
  const startedAt = new Date();
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (modified(tsc) === 0) fail('MedLink is not built, and what builds it is not installed: run "npm ci".');
  // What the compiler remembers of output that is gone would keep it from writing it again.
  if (!complete) rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true });
  process.stderr.write('Building MedLink …\n');
  // Who starts it waits: types are checked by "npm run build", in twice the time, and give the same output.
  const checks = asked ? [] : ['--noCheck'];
  const options = { cwd: root, stdio: 'inherit' };
  const { status } = spawnSync(process.execPath, [tsc, '--project', root, ...checks], options);
  if (status !== 0) fail('The build failed.');
  writeFileSync(STAMP, '');
  // What was saved while it was built counts as newer.
  utimesSync(STAMP, startedAt, startedAt);
}

/** A folder counts too: its time tells that a file in it was removed. */
function newerThan(time, path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return false;
  if (stats.mtimeMs > time) return true;
  return stats.isDirectory() && readdirSync(path).some((name) => newerThan(time, join(path, name)));
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
