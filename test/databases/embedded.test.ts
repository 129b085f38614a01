import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { EmbeddedCluster } from '../../src/databases/embedded/embedded-cluster.js';
import { isAlive } from '../../src/databases/embedded/process-identity.js';
import { postmasterPid } from '../../src/databases/embedded/server-process.js';
import { compileProject, type CompiledProject } from '../harness/compiled.js';
import { type ScriptProcess, startScript } from '../harness/script-process.js';
import { until } from '../harness/until.js';

/** Starts the cluster, prints its URL, and stops it when told to. */
const OWNER = `
  const [, module, path] = process.argv;
  const { EmbeddedCluster } = await import(module);
  const cluster = new EmbeddedCluster(path, { info: console.log, warn: console.log });
  process.once('SIGTERM', async () => { await cluster.stop(); process.exit(0); });
  console.log('url ' + (await cluster.start()));
  setInterval(() => undefined, 1000);
`;

describe('an embedded PostgreSQL', () => {
  let project: CompiledProject;
  let dataDir: string;
  let path: string;
  const processes: ScriptProcess[] = [];
  const log: string[] = [];
  const logger = { info: (text: string) => log.push(text), warn: (text: string) => log.push(text) };

  beforeAll(async () => {
    project = await compileProject();
    dataDir = await mkdtemp(join(tmpdir(), 'medlink-embedded-'));
    await chmod(dataDir, 0o711);
    path = join(dataDir, 'clinic');
  });

  afterEach(async () => {
    for (const process of processes.splice(0)) {
      process.kill('SIGKILL');
      await process.ended;
    }
  });

  afterAll(async () => {
    const left = new EmbeddedCluster(path, logger);
    await left.start();
    await left.stop();
    await rm(dataDir, { recursive: true, force: true });
    await project.remove();
  });

  function startOwner(): ScriptProcess {
    const module = project.path('src/databases/embedded/embedded-cluster.js');
    const owner = startScript(['--input-type=module', '-e', OWNER, '--', module, path]);
    processes.push(owner);
    return owner;
  }

  const urlFrom = async (owner: ScriptProcess) => (await owner.printed('url ')).slice('url '.length);
  const serverPid = async () => (await postmasterPid(path))!;

  it('killed in the middle of its first start begins anew', async () => {
    const owner = startOwner();
    await until(async () => (await readdir(dataDir)).some((name) => name.startsWith('clinic.new-')), {
      what: 'initdb has begun',
    });
    owner.kill('SIGKILL');
    await owner.ended;
    await expect(stat(path)).rejects.toThrow('ENOENT');

    const second = startOwner();

    await count(await urlFrom(second), 'CREATE TABLE visits (id int)');
    expect(await readdir(dataDir)).not.toContainEqual(expect.stringContaining('.new-'));
    second.kill('SIGTERM');
    expect(await second.ended).toBe(0);
    expect(await serverPid()).toBeUndefined();
  });

  it('keeps its data and its password from start to start, and its password to itself', async () => {
    const cluster = new EmbeddedCluster(path, logger);
    const url = await cluster.start();
    await count(url, 'INSERT INTO visits VALUES (1)');
    await cluster.stop();

    const again = new EmbeddedCluster(path, logger);
    const nextUrl = await again.start();

    expect(await count(nextUrl, 'SELECT FROM visits')).toBe(1);
    expect(new URL(nextUrl).password).toBe(new URL(url).password);
    expect((await stat(`${path}.json`)).mode & 0o777).toBe(0o600);
    await again.stop();
  });

  it('outlives the kill -9 of its process; the next one adopts it, and stops it in the end', async () => {
    const owner = startOwner();
    const url = await urlFrom(owner);
    const server = await serverPid();
    owner.kill('SIGKILL');
    await owner.ended;
    expect(isAlive(server)).toBe(true);

    const heir = startOwner();

    expect(await urlFrom(heir)).toBe(url);
    expect(await serverPid()).toBe(server);
    heir.kill('SIGTERM');
    expect(await heir.ended).toBe(0);
    expect(isAlive(server)).toBe(false);
  });

  it('serves two processes that start at once; only its owner stops it', async () => {
    const [one, other] = [startOwner(), startOwner()];

    const urls = await Promise.all([urlFrom(one), urlFrom(other)]);

    expect(urls[0]).toBe(urls[1]);
    const server = await serverPid();
    const { owner } = JSON.parse(await readFile(`${path}.json`, 'utf8')) as { owner: { pid: number } };
    const guest = [one, other].find(({ pid }) => pid !== owner.pid)!;
    guest.kill('SIGTERM');
    expect(await guest.ended).toBe(0);
    expect(isAlive(server)).toBe(true);
    expect(await count(urls[0], 'SELECT FROM visits')).toBe(1);
  });

  it('is taken over by who still uses it when its owner goes', async () => {
    const owner = startOwner();
    const url = await urlFrom(owner);
    const guest = startOwner();
    await urlFrom(guest);

    owner.kill('SIGTERM');
    expect(await owner.ended).toBe(0);

    await until(() => count(url, 'SELECT FROM visits'), { what: 'the guest has started the server again' });
  });

  it('comes back on the same port when the server itself is killed', async () => {
    const owner = startOwner();
    const url = await urlFrom(owner);
    const server = await serverPid();

    process.kill(server, 'SIGKILL');

    expect(await until(() => count(url, 'SELECT FROM visits'), { what: 'the server is back' })).toBe(1);
    expect(await serverPid()).not.toBe(server);
  });

  it('stays stopped when somebody stops it properly', async () => {
    const cluster = new EmbeddedCluster(path, logger);
    const url = await cluster.start();
    log.length = 0;

    process.kill(await serverPid(), 'SIGINT');

    await until(() => log.some((text) => text.includes('Somebody stopped it')), {
      what: 'the stop is noticed',
    });
    await expect(count(url, 'SELECT FROM visits')).rejects.toThrow('ECONNREFUSED');
    await cluster.stop();
  });

  it('finds another port when its own is taken', async () => {
    const first = new EmbeddedCluster(path, logger);
    const { port } = new URL(await first.start());
    await first.stop();
    const intruder = await listen(Number(port));

    const cluster = new EmbeddedCluster(path, logger);
    const url = await cluster.start();

    expect(new URL(url).port).not.toBe(port);
    expect(await count(url, 'SELECT FROM visits')).toBe(1);
    await cluster.stop();
    await new Promise((resolve) => intruder.close(resolve));
  });

  it('is not fooled by a postmaster.pid whose process is by now another program', async () => {
    const first = new EmbeddedCluster(path, logger);
    await first.start();
    const file = await readFile(join(path, 'postmaster.pid'), 'utf8');
    await first.stop();
    await writeFile(join(path, 'postmaster.pid'), file.replace(/^\d+/, String(process.pid)));

    const cluster = new EmbeddedCluster(path, logger);

    expect(await count(await cluster.start(), 'SELECT FROM visits')).toBe(1);
    await cluster.stop();
  });

  it('of another major version is refused, with what to do', async () => {
    const old = join(dataDir, 'old');
    await mkdir(old);
    await writeFile(join(old, 'PG_VERSION'), '15\n');
    await writeFile(`${old}.json`, JSON.stringify({ password: 'x' }));

    const refusal = await new EmbeddedCluster(old, logger).start().catch((error: unknown) => error);

    expect(refusal).toMatchObject({
      code: 'OTHER_MAJOR_VERSION',
      message: expect.stringContaining('pg_dump'),
    });
    expect(await readdir(old)).toEqual(['PG_VERSION']);
  });

  it('whose password is lost is refused, and not made anew', async () => {
    const orphan = join(dataDir, 'orphan');
    await mkdir(orphan);
    await writeFile(join(orphan, 'PG_VERSION'), '18\n');

    await expect(new EmbeddedCluster(orphan, logger).start()).rejects.toMatchObject({
      code: 'PASSWORD_MISSING',
    });
  });

  it('whose data directory cannot be made says so', async () => {
    await writeFile(join(dataDir, 'file'), '');

    await expect(new EmbeddedCluster(join(dataDir, 'file', 'clinic'), logger).start()).rejects.toMatchObject({
      code: 'DATA_DIR_PERMISSION',
    });
  });
});

/** Runs one statement; answers how many rows it gave or changed. */
async function count(url: string, sql: string): Promise<number | null> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rowCount;
  } finally {
    await client.end();
  }
}

function listen(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
