import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people need beside the conflicts themselves. The same on both connections. */
export class Conflicts0009 implements MigrationInterface {
  readonly name = 'Conflicts0000000000009';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    throw new Error('Migrations only go forward: restore a backup to go back.');
  }
}

const STATEMENTS = [
  // The order in which conflicts are listed: what waits for a person, the worst and the oldest first.
  `CREATE INDEX conflicts_worst ON conflicts (
     (CASE state WHEN 'open' THEN 0 ELSE 1 END),
     (CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 ELSE 2 END), created_at, id)`,

  // The accounts of a conflict whose value is not in force: what a person took decides, else what was kept. Of two
  // records with one medical id, the conflict's own is the one that a decision changes.
  `CREATE FUNCTION conflict_overruled(kind text, fields jsonb, decisions jsonb) RETURNS text[]
   LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
     SELECT coalesce(array_agg(DISTINCT side.actor), '{}')
     FROM jsonb_each(fields) f
     CROSS JOIN LATERAL (SELECT coalesce(decisions -> f.key, decisions -> 'removal') AS decision) d
     CROSS JOIN LATERAL (VALUES ('regional', f.value #>> '{regional,actor}'),
                                ('central', f.value #>> '{central,actor}')) AS side(name, actor)
     WHERE side.actor IS NOT NULL AND NOT (kind = 'identity' AND side.name = 'central')
       AND CASE WHEN d.decision IS NULL THEN f.value ->> 'kept' ELSE coalesce(d.decision ->> 'take', 'neither') END
           NOT IN (side.name, 'both')
   $$`,
  `CREATE INDEX conflicts_overruled ON conflicts USING gin (conflict_overruled(kind, fields, decisions))
   WHERE state = 'resolved'`,

  // Which notifications an account has read: of the decision made at this instant. Accounts do not travel,
  // and neither does this.
  `CREATE TABLE notification_readings (
     account_id uuid NOT NULL,
     conflict_id uuid NOT NULL,
     of_decision timestamptz(3) NOT NULL,
     read_at timestamptz(3) NOT NULL,
     PRIMARY KEY (account_id, conflict_id)
   )`,
];
