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

/**
 * Runs the pending migrations, each in its own transaction; other processes wait for the one that does.
 * Throws {@link SchemaNewerError} and changes nothing when the database is ahead of this code.
 */
export async function migrate(source: DataSource): Promise<void> {
  await locked(source, async (runner) => {
    await refuseNewerSchema(source, runner);
    await source.runMigrations({ transaction: 'each' });
  });
}

/**
 * Migrates a database that has never been migrated; of any other only asks whether it has exactly this
 * code's migrations. Throws {@link SchemaNewerError} or {@link SchemaOlderError}.
 */
export async function migrateIfNew(source: DataSource): Promise<void> {
  await locked(source, async (runner) => {
    const executed = await refuseNewerSchema(source, runner);
    if (executed.length === 0) {
      await source.runMigrations({ transaction: 'each' });
      return;
    }
    const missing = namesOf(source).filter((name) => !executed.includes(name));
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

const namesOf = (source: DataSource) =>
  source.migrations.map((migration) => migration.name ?? migration.constructor.name);

async function locked<T>(source: DataSource, work: (runner: QueryRunner) => Promise<T>): Promise<T> {
  const runner = source.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      return await work(runner);
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } finally {
    await runner.release();
  }
}
