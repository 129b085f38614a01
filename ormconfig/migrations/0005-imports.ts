import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What was imported, what was wrong with it, and which patient came from where. The same on both
 * connections; a node uses those of its home database alone, and they do not travel.
 */
export class Imports0005 implements MigrationInterface {
  readonly name = 'Imports0000000000005';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    throw new Error('Migrations only go forward: restore a backup to go back.');
  }
}

const STATEMENTS = [
  `CREATE TABLE imports (
     id uuid PRIMARY KEY,
     format text NOT NULL,
     runner text NOT NULL,
     state text NOT NULL,
     error text,
     total integer NOT NULL DEFAULT 0,
     created integer NOT NULL DEFAULT 0,
     updated integer NOT NULL DEFAULT 0,
     unchanged integer NOT NULL DEFAULT 0,
     skipped integer NOT NULL DEFAULT 0,
     failed integer NOT NULL DEFAULT 0,
     bytes_read bigint NOT NULL DEFAULT 0,
     bytes_total bigint NOT NULL,
     created_at timestamptz(3) NOT NULL,
     created_by text NOT NULL,
     started_at timestamptz(3),
     progress_at timestamptz(3) NOT NULL,
     finished_at timestamptz(3)
   )`,

  // What is wrong, and where: never the value itself.
  `CREATE TABLE import_errors (
     import_id uuid NOT NULL REFERENCES imports ON DELETE CASCADE,
     position integer NOT NULL,
     file integer NOT NULL,
     line integer NOT NULL,
     level text NOT NULL,
     path text NOT NULL,
     message text NOT NULL,
     PRIMARY KEY (import_id, position)
   )`,

  // The same identifier of the same source is the same patient, however often it is imported. A row
  // outlives its patient, so that an import does not bring back who was deleted.
  `CREATE TABLE import_sources (
     system text NOT NULL,
     value text NOT NULL,
     patient_id uuid NOT NULL,
     PRIMARY KEY (system, value)
   )`,
];
