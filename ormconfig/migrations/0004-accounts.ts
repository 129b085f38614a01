import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Accounts and their logins. On both connections, because a central node serves its own; a node uses
 * those of its home database alone, and they do not travel.
 */
export class Accounts0004 implements MigrationInterface {
  readonly name = 'Accounts0000000000004';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    throw new Error('Migrations only go forward: restore a backup to go back.');
  }
}

const STATEMENTS = [
  `CREATE TABLE users (
     id uuid PRIMARY KEY,
     email text NOT NULL UNIQUE CHECK (email = lower(email)),
     password_hash text NOT NULL,
     full_name text NOT NULL,
     role text NOT NULL,
     region text,
     disabled boolean NOT NULL,
     version integer NOT NULL,
     created_at timestamptz(3) NOT NULL,
     updated_at timestamptz(3) NOT NULL,
     CONSTRAINT users_region_of_role CHECK (
       CASE role WHEN 'admin_national' THEN region IS NULL WHEN 'auditeur' THEN true ELSE region IS NOT NULL END
     )
   )`,

  // One login, and the family of refresh tokens that grew from it. Over when ended or expired.
  `CREATE TABLE sessions (
     id uuid PRIMARY KEY,
     user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
     created_at timestamptz(3) NOT NULL,
     expires_at timestamptz(3) NOT NULL,
     ended_at timestamptz(3)
   )`,
  `CREATE INDEX sessions_user ON sessions (user_id)`,

  // Only hashes: whoever reads this table cannot sign in with it.
  `CREATE TABLE refresh_tokens (
     hash bytea PRIMARY KEY,
     session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
     expires_at timestamptz(3) NOT NULL,
     rotated_at timestamptz(3)
   )`,
  `CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id)`,
];
