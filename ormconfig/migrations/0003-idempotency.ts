import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The answers to requests that carried an `Idempotency-Key`. The same on both connections; never replicated. */
export class Idempotency0003 implements MigrationInterface {
  readonly name = 'Idempotency0000000000003';

  async up(queryRunner: QueryRunner): Promise<void> {
    // json, not jsonb: a repeated answer is the first one byte for byte.
    await queryRunner.query(`
      CREATE TABLE idempotency_keys (
        actor text NOT NULL,
        key text NOT NULL,
        route text NOT NULL,
        fingerprint text NOT NULL,
        status integer,
        headers json,
        body json,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (actor, key)
      )`);
    await queryRunner.query(`CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at)`);
  }

  down(): Promise<void> {
    throw new Error('Migrations only go forward: restore a backup to go back.');
  }
}
