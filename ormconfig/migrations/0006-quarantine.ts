import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a node could not apply, whole, until a person decides; and what needs a person. */
export class Quarantine0006 implements MigrationInterface {
  readonly name = 'Quarantine0000000000006';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    throw new Error('Migrations only go forward: restore a backup to go back.');
  }
}

const STATEMENTS = [
  // One row per entry. `refused`: it failed. `waiting`: it is of a lane that a refused one holds back. `held`: a newer
  // version made it, or one that is before it in its lane.
  `CREATE TABLE quarantine (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     state text NOT NULL CHECK (state IN ('refused', 'waiting', 'held', 'applied', 'discarded')),
     lane uuid NOT NULL,
     code text,
     message text,
     attempts integer NOT NULL DEFAULT 0,
     held_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
     last_attempt_at timestamptz(3),
     decided_at timestamptz(3),
     decided_by text,
     decided_by_name text,
     decision_reason text,
     origin text NOT NULL,
     origin_seq bigint NOT NULL,
     incarnation integer NOT NULL,
     change_set bigint NOT NULL,
     change_set_size integer NOT NULL,
     entity text NOT NULL,
     entity_id uuid NOT NULL,
     patient_id uuid,
     op text NOT NULL,
     before jsonb,
     after jsonb,
     knows bigint NOT NULL,
     actor text NOT NULL,
     actor_name text,
     role text,
     reason text,
     request_id text,
     at timestamptz(3) NOT NULL,
     schema integer NOT NULL,
     captured_by text NOT NULL,
     UNIQUE (origin, incarnation, origin_seq)
   )`,
  `CREATE INDEX quarantine_held ON quarantine (lane, id) WHERE state IN ('refused', 'waiting', 'held')`,

  // The same thing again adds to the count of the alert that nobody has acknowledged yet.
  `CREATE TABLE alerts (
     id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
     code text NOT NULL,
     subject text NOT NULL,
     count bigint NOT NULL DEFAULT 1,
     first_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
     last_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
     acknowledged_at timestamptz(3),
     acknowledged_by text,
     acknowledged_by_name text
   )`,
  `CREATE UNIQUE INDEX alerts_open ON alerts (code, subject) WHERE acknowledged_at IS NULL`,

  // What this region knows of the lanes that central holds in quarantine, for while central is away.
  `CREATE TABLE quarantined_lanes (
     lane uuid PRIMARY KEY,
     entries integer NOT NULL,
     refused integer NOT NULL DEFAULT 0,
     -- Not among the entries: what waits for central to be upgraded.
     held integer NOT NULL DEFAULT 0
   )`,
];
