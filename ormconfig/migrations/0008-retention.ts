import type { MigrationInterface, QueryRunner } from 'typeorm';

const forwardOnly = (): Promise<void> => {
  throw new Error('Migrations only go forward: restore a backup to go back.');
};

/** The journal's oldest months can be removed, by one function that knows what may go. */
export class RegionaleRetention0008 implements MigrationInterface {
  readonly name = 'Retention0000000000008';
  readonly down = forwardOnly;

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [...STATEMENTS, pruneFunction('')]) await queryRunner.query(statement);
  }
}

export class CentralRetention0008 implements MigrationInterface {
  readonly name = 'Retention0000000000008';
  readonly down = forwardOnly;

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [...STATEMENTS, pruneFunction(UNDELIVERED)]) await queryRunner.query(statement);
  }
}

const STATEMENTS = [
  // What was removed. `since`: the journal is whole from there on, but for what was kept of older months.
  `CREATE TABLE journal_retention (
     singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
     removed bigint NOT NULL DEFAULT 0,
     removed_outside bigint NOT NULL DEFAULT 0,
     through bigint NOT NULL DEFAULT 0,
     since timestamptz(3),
     removed_at timestamptz(3)
   )`,
  `INSERT INTO journal_retention DEFAULT VALUES`,
  // The highest position of each origin that was removed: below it, nobody can be sent everything any more.
  `CREATE TABLE journal_removed (origin text PRIMARY KEY, through bigint NOT NULL)`,

  // What a region's waiting changes are merged with at central lies behind this position.
  `ALTER TABLE replication_peers ADD needed_after bigint`,

  // How far every peer has applied this journal, and needs it no more. A region that central knows of and that never
  // said counts as 0.
  `CREATE FUNCTION journal_confirmed() RETURNS bigint LANGUAGE sql STABLE AS $$
     SELECT coalesce(min(CASE WHEN p.peer IS NULL THEN 0 WHEN p.peer = 'central' THEN p.acknowledged_seq
                         ELSE least(p.acknowledged_seq, coalesce(p.needed_after, 0)) END), 0)
     FROM (SELECT 'central' AS code FROM node WHERE node.code <> 'central'
           UNION SELECT c.origin FROM replication_cursors c CROSS JOIN node
           WHERE node.code = 'central' AND c.origin <> 'central'
           UNION SELECT r.code FROM regions r CROSS JOIN node WHERE node.code = 'central') known
     LEFT JOIN replication_peers p ON p.peer = known.code
   $$`,

  // The first moment of the oldest month that is kept, in UTC.
  `CREATE FUNCTION journal_kept_since(months integer) RETURNS timestamptz LANGUAGE sql STABLE AS $$
     SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => months)) AT TIME ZONE 'UTC'
   $$`,

  // The last entry that a peer is known to have: its cursor's witness is compared with it.
  `CREATE FUNCTION journal_witnesses() RETURNS bigint[] LANGUAGE sql STABLE AS $$
     SELECT coalesce(array_agg(last.seq), '{}') FROM node CROSS JOIN replication_peers p CROSS JOIN LATERAL (
       SELECT j.seq FROM journal j
       WHERE j.seq <= p.acknowledged_seq AND (node.code = 'central' OR j.origin = node.code)
       ORDER BY j.seq DESC LIMIT 1) last
   $$`,

  // Whoever else deletes is refused, whatever the session has set.
  `CREATE OR REPLACE FUNCTION journal_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
   DECLARE
     callers text;
   BEGIN
     GET DIAGNOSTICS callers = PG_CONTEXT;
     IF TG_OP = 'DELETE' AND callers ~ '\\nPL/pgSQL function (public\\.)?journal_prune\\(integer,bigint,integer\\) line \\d+ at SQL statement' THEN
       RETURN NULL;
     END IF;
     RAISE EXCEPTION 'The journal is append-only: % is refused', TG_OP USING ERRCODE = 'ML001';
   END $$`,
];

/** What was to be delivered of an entry that every region has. */
const UNDELIVERED = `, delivered AS (
     DELETE FROM deliveries d USING deleted x, replication_peers p WHERE d.region = p.peer AND d.seq = x.seq
   )`;

/**
 * Looks at the next `size` entries behind position `behind`, and removes those that are older than `months` whole
 * months, that every peer has, that no cursor is compared with, and whose patient nobody has to decide about. `old`
 * of them were older than that; `last` is the last position that was looked at, null at the end.
 */
const pruneFunction = (alsoForgotten: string) => `
  CREATE FUNCTION journal_prune(months integer, behind bigint, size integer,
                                 OUT last bigint, OUT old integer, OUT removed integer)
   LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
   DECLARE
     kept_since timestamptz := journal_kept_since(months);
     confirmed bigint := journal_confirmed();
     witnesses bigint[] := journal_witnesses();
   BEGIN
     IF months IS NULL OR months < 1 THEN
       RAISE EXCEPTION 'The journal is kept for a month at least' USING ERRCODE = '22023';
     END IF;
     WITH page AS MATERIALIZED (
       SELECT j.seq, j.at, coalesce(j.patient_id, j.entity_id) AS lane FROM journal j
       WHERE j.seq > behind AND j.seq <= confirmed ORDER BY j.seq LIMIT size
     ), deleted AS (
       DELETE FROM journal j USING page p
       WHERE j.seq = p.seq AND p.at < kept_since AND p.seq <> ALL (witnesses)
         AND NOT EXISTS (SELECT FROM quarantine q WHERE q.lane = p.lane AND q.state NOT IN ('applied', 'discarded'))
         AND NOT EXISTS (SELECT FROM quarantined_lanes q WHERE q.lane = p.lane)
         AND NOT EXISTS (SELECT FROM conflicts c
                         WHERE c.state = 'open' AND p.lane IN (c.patient_id, c.entity_id, c.other_id))
       RETURNING j.seq, j.origin, j.origin_seq, j.captured_by
     ), by_origin AS (
       INSERT INTO journal_removed AS known SELECT origin, max(origin_seq) FROM deleted GROUP BY origin
       ON CONFLICT (origin) DO UPDATE SET through = greatest(known.through, excluded.through)
     ), noted AS (
       UPDATE journal_retention r SET removed = r.removed + d.entries, removed_outside = r.removed_outside + d.outside,
         through = greatest(r.through, d.through), since = greatest(r.since, kept_since), removed_at = clock_timestamp()
       FROM (SELECT count(*) AS entries, max(seq) AS through,
                    count(*) FILTER (WHERE captured_by = 'database') AS outside FROM deleted) d
       WHERE d.entries > 0
     )${alsoForgotten}
     SELECT (SELECT max(p.seq) FROM page p), (SELECT count(*) FROM page p WHERE p.at < kept_since),
            (SELECT count(*) FROM deleted)
     INTO last, old, removed;
   END $$`;
