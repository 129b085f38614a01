import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Config, loadConfig } from '../config/config.js';
import { commandLineSource } from '../databases/command-line-source.js';
import { CENTRAL, type ConnectionName, REGIONALE } from '../routing/connection-names.js';

const NODE = fileURLToPath(new URL('../main.js', import.meta.url));
const DATA = fileURLToPath(new URL('../../../src/imports/demo-data/', import.meta.url));
const FILES = ['Patient.ndjson.gz', 'AllergyIntolerance.ndjson.gz'];
const POLL_MS = 250;

type Json = Record<string, unknown>;

/** The running node, as a client sees it. */
class Client {
  private token = '';

  constructor(private readonly url: string) {}

  async logIn(email: string, password: string): Promise<void> {
    const body = JSON.stringify({ email, password });
    const headers = { 'content-type': 'application/json' };
    this.token = (await this.call('auth/login', { method: 'POST', headers, body }))['accessToken'] as string;
  }

  async call(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Json> {
    const headers = { ...init.headers, ...(this.token && { authorization: `Bearer ${this.token}` }) };
    const answer = await fetch(`${this.url}/api/v1/${path}`, { ...init, headers });
    const body = (await answer.json()) as Json;
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${String(body['title'])}`);
    return body;
  }
}

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  if (config.mode !== 'standalone') throw new Error('The demonstration needs MEDLINK_NODE=standalone.');
  const node = startNode();
  try {
    const url = await addressOf(node);
    const client = new Client(url);
    await client.logIn(config.adminEmail, await adminPassword(config));
    await importDemoData(client);
    await untilCentralHasAll(client);
    say(whatToLookAt(url, config, await countsOf(config)));
  } catch (error) {
    node.kill('SIGTERM');
    throw error;
  }
}

/** As `npm start` does it; its exit is the exit of the demonstration. */
function startNode(): ChildProcess {
  const env = { MEDLINK_LOG_LEVEL: 'warn', ...process.env };
  const node = spawn(process.execPath, [NODE], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  node.once('exit', (code) => process.exit(process.exitCode ?? code ?? 1));
  // The node stops once, however often it is told: a terminal sends its Ctrl-C to both processes.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => node.kill('SIGTERM'));
  return node;
}

/** Repeats what the node says, and resolves with where it serves. */
function addressOf(node: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    createInterface({ input: node.stdout! }).on('line', (line) => {
      say(line);
      const address = /^MedLink: API (\S+)\/api\/v1\b/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    });
  });
}

async function adminPassword({ adminPassword: given, dataDir }: Config): Promise<string> {
  return given ?? (await readFile(join(dataDir, 'admin-password'), 'utf8')).trim();
}

async function importDemoData(client: Client): Promise<void> {
  const body = new FormData();
  for (const name of FILES)
    body.append('file', new Blob([new Uint8Array(await readFile(join(DATA, name)))]), name);
  let run = await client.call('imports', { method: 'POST', body });
  say('Importing 1,144 synthetic patients and 835 allergies …');
  while (run['state'] === 'queued' || run['state'] === 'running') {
    await pause(POLL_MS);
    run = await client.call(`imports/${String(run['id'])}`);
  }
  if (run['state'] === 'failed') throw new Error(`The import failed: ${String(run['error'])}`);
  const counts = ['created', 'updated', 'unchanged', 'failed'].map((name) => `${String(run[name])} ${name}`);
  say(`Imported: ${counts.join(', ')}.`);
}

async function untilCentralHasAll(client: Client): Promise<void> {
  say('Waiting until central has all …');
  for (;;) {
    const { link, uplink } = (await client.call('sync/status')) as { link: Json; uplink: Json };
    if (link['state'] === 'up' && uplink['pending'] === 0) return;
    await pause(POLL_MS);
  }
}

async function countsOf(config: Config): Promise<Record<ConnectionName, string>> {
  const [region, central] = await Promise.all([count(REGIONALE, config), count(CENTRAL, config)]);
  return { [REGIONALE]: region, [CENTRAL]: central };
}

async function count(name: ConnectionName, config: Config): Promise<string> {
  const source = await commandLineSource(name, config);
  await source.initialize();
  try {
    const [row] = await source.query<[{ patients: string; allergic: string; entries: string }]>(
      `SELECT count(*) AS patients, count(*) FILTER (WHERE allergies <> '{}') AS allergic,
              (SELECT count(*) FROM journal) AS entries FROM patients`,
    );
    return `${row.patients} patients, ${row.allergic} of them with allergies, ${row.entries} journal entries`;
  } finally {
    await source.destroy();
  }
}

function whatToLookAt(
  url: string,
  { adminEmail, adminPassword: given, dataDir }: Config,
  counts: Record<ConnectionName, string>,
) {
  const password =
    given === undefined ? `in ${join(dataDir, 'admin-password')}` : 'the one in MEDLINK_ADMIN_PASSWORD';
  return `
  In the region's database:    ${counts[REGIONALE]}
  In the central database:     ${counts[CENTRAL]}

  Log in as ${adminEmail} (password: ${password}) and look at
    ${url}/docs    POST /auth/login, then paste the accessToken into "Authorize"

  Searches to try:
    GET /patients?q=goldner995                             by name
    GET /patients?q=goldnr&total=true                      with a typing error
    GET /patients?familyName=Koch&sex=female&limit=5       by beginning of the family name
    GET /patients?near=39.47,-97.26&radiusKm=50            around a place
    GET /national/patients?q=goldner995                    the same person at central
    GET /sync/status                                       what central has

  Change a patient, and see it at central; stop the central database, and go on working.
  Ctrl-C stops everything. "npm run demo" again imports nothing twice.
`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
