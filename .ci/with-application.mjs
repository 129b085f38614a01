// Starts MedLink as an operator does, on an empty data directory, runs programs against it one after
// the other, and stops it: node .ci/with-application.mjs PROGRAM...
// The programs find it by MEDLINK_URL, MEDLINK_ADMIN_EMAIL and MEDLINK_ADMIN_PASSWORD.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = resolve(import.meta.dirname, '..');
const START_WITHIN_MS = 180_000;
const STOP_WITHIN_MS = 10_000;

const home = await mkdtemp(join(tmpdir(), 'medlink-'));
const port = await freePort();
const settings = {
  PORT: String(port),
  MEDLINK_DATA_DIR: home,
  MEDLINK_ADMIN_EMAIL: 'admin@medlink.local',
  MEDLINK_ADMIN_PASSWORD: randomBytes(18).toString('base64url'),
};
const url = `http://127.0.0.1:${port}`;
const npm = spawn('npm', ['start'], {
  cwd: ROOT,
  env: { ...process.env, ...settings },
  stdio: ['ignore', 'pipe', 'pipe'],
});
const printed = [];
for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (text) => printed.push(text));

try {
  await ready();
  for (const program of process.argv.slice(2)) await run(program);
  await stop();
  await assertNoServerIsLeft();
} catch (error) {
  console.error(`What the application printed:\n${Buffer.concat(printed).toString()}`);
  npm.kill('SIGTERM');
  if (running()) await Promise.race([once(npm, 'exit'), sleep(STOP_WITHIN_MS)]);
  throw error;
} finally {
  await rm(home, { recursive: true, force: true });
}

async function ready() {
  const deadline = Date.now() + START_WITHIN_MS;
  const started = Date.now();
  while (!(await answers(`${url}/health/ready`))) {
    if (!running())
      throw new Error(`npm start ended with ${npm.exitCode ?? npm.signalCode} before it was ready`);
    if (Date.now() > deadline) throw new Error(`Not ready after ${START_WITHIN_MS} ms`);
    await sleep(100);
  }
  console.log(`ready after ${Date.now() - started} ms`);
}

async function answers(address) {
  try {
    return (await fetch(address, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch (error) {
    if (error.name === 'TimeoutError' || error.cause?.code === 'ECONNREFUSED') return false;
    throw error;
  }
}

async function run(program) {
  const child = spawn(process.execPath, [program], {
    cwd: ROOT,
    env: { ...process.env, ...settings, MEDLINK_URL: url },
    stdio: 'inherit',
  });
  const [code, signal] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${program} ended with ${code ?? signal}`);
}

async function stop() {
  const started = Date.now();
  npm.kill('SIGTERM');
  const ended = await Promise.race([once(npm, 'exit'), sleep(STOP_WITHIN_MS)]);
  if (!ended) throw new Error(`Still running ${STOP_WITHIN_MS} ms after SIGTERM`);
  const [code, signal] = ended;
  if (code !== 0) throw new Error(`SIGTERM ended it with ${code ?? signal}, not 0`);
  console.log(`stopped with 0 in ${Date.now() - started} ms`);
}

/** A stopped PostgreSQL removes its `postmaster.pid`. */
async function assertNoServerIsLeft() {
  const files = await readdir(home, { recursive: true });
  const left = files.filter((file) => file.endsWith('postmaster.pid'));
  if (left.length > 0) throw new Error(`PostgreSQL was not stopped in order: ${left.join(', ')}`);
}

function running() {
  return npm.exitCode === null && npm.signalCode === null;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address();
  server.close();
  await once(server, 'close');
  return free;
}
