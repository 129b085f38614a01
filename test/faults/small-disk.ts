import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { serverAccount } from '../../src/databases/embedded/server-account.js';

const run = promisify(execFile);
const SIZE = '64m';
/** Bytes that are written at once: large pieces first, small ones into what is left. */
const PIECES = [4_000_000, 200_000, 4_000];

/** A database whose disk can be full, and have room again. */
export interface SmallDisk {
  readonly url: string;
  /** SQL as a superuser. */
  readonly client: pg.Client;
  /** How it is done: a file system of its own; or, where none may be mounted, a trigger that says what PostgreSQL says. */
  readonly how: 'mounted' | 'pretended';
  fill(): Promise<void>;
  makeRoom(): Promise<void>;
  remove(): Promise<void>;
}

/** An empty database of the tests' cluster on a disk of 64 MiB. */
export async function smallDisk(): Promise<SmallDisk> {
  const name = `small_${randomBytes(5).toString('hex')}`;
  const folder = await mkdtemp(join(tmpdir(), 'medlink-disk-'));
  const mounted = await mount(folder);
  if (mounted) await administer(`CREATE TABLESPACE ${name} LOCATION '${join(folder, 'disk', 'data')}'`);
  await administer(`CREATE DATABASE ${name}${mounted ? ` TABLESPACE ${name}` : ''}`);
  const url = new URL(process.env.MEDLINK_TEST_CLUSTER_URL!);
  url.pathname = `/${name}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  return {
    url: url.href,
    client,
    how: mounted ? 'mounted' : 'pretended',
    fill: () => (mounted ? fill(client) : pretend(client)),
    async makeRoom() {
      await client.query(mounted ? 'DROP TABLE filler' : 'DROP FUNCTION no_room CASCADE');
      // The files of what was dropped go with the next checkpoint.
      await client.query('CHECKPOINT');
    },
    async remove() {
      // A disk that a failed test has left full.
      await client.query('DROP TABLE IF EXISTS filler');
      await client.end();
      await administer(`DROP DATABASE ${name} WITH (FORCE)`);
      if (mounted) {
        await administer(`DROP TABLESPACE ${name}`);
        await run('umount', [join(folder, 'disk')]);
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function mount(folder: string): Promise<boolean> {
  const disk = join(folder, 'disk');
  await mkdir(disk);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=755`, 'tmpfs', disk]);
  } catch (error) {
    process.stderr.write(
      `No file system can be mounted here, so a full disk is pretended: ${String(error)}\n`,
    );
    return false;
  }
  await mkdir(join(disk, 'data'), { mode: 0o700 });
  await chmod(folder, 0o755);
  const account = await serverAccount();
  if (account) await chown(join(disk, 'data'), account.uid, account.gid);
  return true;
}

async function fill(client: pg.Client): Promise<void> {
  await client.query('CREATE TABLE filler (content text)');
  await client.query('ALTER TABLE filler ALTER content SET STORAGE EXTERNAL');
  for (const bytes of PIECES) {
    while (await fits(client, bytes));
  }
}

async function fits(client: pg.Client, bytes: number): Promise<boolean> {
  try {
    await client.query(`INSERT INTO filler SELECT repeat('x', $1)`, [bytes]);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== '53100') throw error;
    return false;
  }
}

async function pretend(client: pg.Client): Promise<void> {
  await client.query(`CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`);
  for (const table of ['patients', 'journal'])
    await client.query(`CREATE TRIGGER no_room BEFORE INSERT ON ${table} EXECUTE FUNCTION no_room()`);
}

async function administer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: process.env.MEDLINK_TEST_CLUSTER_URL });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
