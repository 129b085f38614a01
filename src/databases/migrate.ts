import { setTimeout as pause } from 'node:timers/promises';
import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import type { FailureCode } from '../observability/failures/failure-codes.js';

/** The database was migrated by a newer MedLink. Remedy: upgrade this node. */
export class SchemaNewerError extends Error {
  readonly code = 'SCHEMA_NEWER' satisfies FailureCode;

  constructor(readonly unknownMigrations: readonly string[]) {
    super(
      `The database was made by a newer MedLink: this one does not know ${unknownMigrations.join(', ')}. ` +
        'Upgrade MedLink on this node.',
    );
    this.name = 'SchemaNewerError';
  }
}

/** The database, which another node migrates, is behind this MedLink. Remedy: upgrade that node. */
export class SchemaOlderError extends Error {
  readonly code = 'SCHEMA_OLDER' satisfies FailureCode;

  constructor(readonly missingMigrations: readonly string[]) {
    super(
      `The database was made by an older MedLink: it lacks ${missingMigrations.join(', ')}. ` +
        'Upgrade the central node; it migrates its database when it starts.',
    );
    this.name = 'SchemaOlderError';
  }
}

/** Any number, the same for every node that may migrate one database. */
const MIGRATION_LOCK = 7_304_002;
/** How often to ask for it while another process migrates, in milliseconds. */
const LOCK_POLL_MS = 250;
/** A session that a broken line left behind would hold the lock until TCP notices, which takes hours. */
const LEAVES_NO_GHOST = `SET idle_session_timeout = '15s'`;
/** While other sessions migrate, the one that holds the lock has nothing to do. */
const MAY_REST = 'SET idle_session_timeout = 0';

/** Runs what may keep the database silent for long. */
export type Patiently = <T>(work: () => Promise<T>) => Promise<T>;

const anyhow: Patiently = (work) => work();

/**
 * Runs the pending migrations, each in its own transaction; other processes wait for the one that does.
 * Throws {@link SchemaNewerError} and changes nothing when the database is ahead of this code.
 */
export async function migrate(source: DataSource, patiently = anyhow): Promise<void> {
  await locked(source, async (runner) => {
    const executed = await refuseNewerSchema(source, runner);
    if (missingFrom(executed, source).length > 0) await patiently(() => runMigrations(source, runner));
  });
}

/**
 * Migrates a database that has never been migrated; of any other only asks whether it has exactly this
 * code's migrations. Throws {@link SchemaNewerError} or {@link SchemaOlderError}.
 */
export async function migrateIfNew(source: DataSource, patiently = anyhow): Promise<void> {
  await locked(source, async (runner) => {
    const executed = await refuseNewerSchema(source, runner);
    if (executed.length === 0) return patiently(() => runMigrations(source, runner));
    const missing = missingFrom(executed, source);
    if (missing.length > 0) throw new SchemaOlderError(missing);
  });
}

async function refuseNewerSchema(source: DataSource, runner: QueryRunner): Promise<readonly string[]> {
  const migrations = await new MigrationExecutor(source, runner).getExecutedMigrations();
  const executed = migrations.map(({ name }) => name);
  const known = namesOf(source);
  const unknown = executed.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new SchemaNewerError(unknown);
  return executed;
}

async function runMigrations(source: DataSource, runner: QueryRunner): Promise<void> {
  await runner.query(MAY_REST);
  await source.runMigrations({ transaction: 'each' });
}

function missingFrom(executed: readonly string[], source: DataSource): string[] {
  return namesOf(source).filter((name) => !executed.includes(name));
}

const namesOf = (source: DataSource) =>
  source.migrations.map((migration) => migration.name ?? migration.constructor.name);

async function locked<T>(source: DataSource, work: (runner: QueryRunner) => Promise<T>): Promise<T> {
  const runner = source.createQueryRunner();
  try {
    await runner.query(LEAVES_NO_GHOST);
    while (!(await tryLock(runner))) await pause(LOCK_POLL_MS);
    try {
      return await work(runner);
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } finally {
    await runner.release();
  }
}

interface LockRow {
  readonly locked: boolean;
}

/** Asked again and again, since the answer to a question that waits says nothing of who is still there. */
async function tryLock(runner: QueryRunner): Promise<boolean> {
  const rows = (await runner.query('SELECT pg_try_advisory_lock($1) AS locked', [
    MIGRATION_LOCK,
  ])) as LockRow[];
  return rows[0]!.locked;
}
