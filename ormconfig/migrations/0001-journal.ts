import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The journal, the cursors, and the capture of what goes round the application. The same on both
 * connections. docs/replication.md tells how they work together.
 */
export class Journal0001 implements MigrationInterface {
  readonly name = 'Journal0000000000001';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    throw new Error('Migrations only go forward: restore a backup to go back.');
  }
}

const STATEMENTS = [
  // Which node this database belongs to. One row, written when the node first opens it.
  `CREATE TABLE node (
     singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
     code text NOT NULL,
     -- Which life of this journal: raised when the database finds itself restored, and before it writes again.
     incarnation integer NOT NULL DEFAULT 1,
     -- The cluster that it was in when it was last opened. Another one counts transactions from the beginning.
     cluster bigint
   )`,

  `CREATE SEQUENCE journal_seq AS bigint`,
  `CREATE TABLE journal (
     seq bigint PRIMARY KEY,
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
     captured_by text NOT NULL
   )`,
  `CREATE INDEX journal_patient ON journal (patient_id, seq)`,
  `CREATE INDEX journal_database ON journal (seq) WHERE captured_by = 'database'`,
  `CREATE FUNCTION journal_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     RAISE EXCEPTION 'The journal is append-only: % is refused', TG_OP USING ERRCODE = 'ML001';
   END $$`,
  `CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
   FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse_change()`,

  // How far this database has applied each other node's journal. Moves with what it covers.
  `CREATE TABLE replication_cursors (
     origin text PRIMARY KEY,
     incarnation integer NOT NULL,
     seq bigint NOT NULL,
     applied_at timestamptz(3) NOT NULL,
     -- What the entry there was: a journal that has another one was restored from a backup and went on.
     witness text
   )`,
  // How far the peer last said that it has applied this journal, so that the state is known while it
  // is away, and whether an administrator has paused the exchange.
  `CREATE TABLE replication_peers (
     peer text PRIMARY KEY,
     acknowledged_seq bigint NOT NULL DEFAULT 0,
     acknowledged_at timestamptz(3),
     paused_at timestamptz(3),
     paused_by text
   )`,
  // A batch that does not fit what the receiver holds must not half apply: raising aborts its statement.
  `CREATE FUNCTION replication_expect(problem text, expected bigint, actual bigint) RETURNS bigint
   LANGUAGE plpgsql AS $$
   BEGIN
     IF expected <> actual THEN
       RAISE EXCEPTION '%: expected %, found %', problem, expected, actual USING ERRCODE = 'ML003';
     END IF;
     RETURN actual;
   END $$`,
  // What an entry was, in few bytes: two journals that differ at a position differ in this.
  `CREATE FUNCTION journal_witness(entity_id uuid, change_set bigint, at timestamptz, content jsonb) RETURNS text
   LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
     SELECT entity_id || ' ' || change_set || ' ' || extract(epoch FROM at) || ' ' || md5(content::text)
   $$`,
  // Later changes of a row laid over earlier ones, column by column. Without an initial value, the first one
  // is taken as it is: most rows change once in a chunk.
  `CREATE AGGREGATE journal_overlay (jsonb) (SFUNC = jsonb_concat, STYPE = jsonb)`,

  // Only the fields that differ, for the two sides of an update; and together.
  `CREATE FUNCTION journal_changed(wanted jsonb, other jsonb, together text[]) RETURNS jsonb
   LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
     SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(wanted)
     WHERE value IS DISTINCT FROM other -> key OR key = ANY(together)
   $$`,
  // The fields of groups in which something differs. A group is one value: nobody who reads an entry could tell
  // what the rest of it was there. groups: an array of arrays of columns.
  `CREATE FUNCTION journal_together(one jsonb, other jsonb, groups jsonb) RETURNS text[]
   LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
     SELECT array_agg(field) FROM jsonb_array_elements(groups) g CROSS JOIN jsonb_array_elements_text(g) field
     WHERE EXISTS (SELECT FROM jsonb_array_elements_text(g) member WHERE one -> member IS DISTINCT FROM other -> member)
   $$`,

  // What psql, scripts and migrations change is staged by statement triggers and becomes journal
  // entries at commit, so that an open transaction holds no seq that the relay would wait for.
  `CREATE UNLOGGED TABLE journal_staged (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     transaction xid8 NOT NULL,
     entity text NOT NULL,
     entity_id uuid NOT NULL,
     patient_id uuid,
     op text NOT NULL,
     before jsonb,
     after jsonb,
     schema integer NOT NULL
   )`,
  `CREATE INDEX journal_staged_transaction ON journal_staged (transaction)`,
  `CREATE UNLOGGED TABLE journal_staged_transactions (transaction xid8 PRIMARY KEY)`,

  `CREATE FUNCTION journal_stage() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
   SET search_path = pg_catalog, public, pg_temp SET TimeZone = 'UTC' AS $$
   DECLARE
     compartment text := TG_ARGV[0];
     shape integer := TG_ARGV[1];
     groups jsonb := TG_ARGV[2];
   BEGIN
     IF TG_OP = 'INSERT' THEN
       INSERT INTO journal_staged (transaction, entity, entity_id, patient_id, op, before, after, schema)
       SELECT pg_current_xact_id(), TG_TABLE_NAME, n.id, (to_jsonb(n) ->> compartment)::uuid, 'insert',
              NULL, to_jsonb(n), shape
       FROM new_rows n;
     ELSIF TG_OP = 'DELETE' THEN
       INSERT INTO journal_staged (transaction, entity, entity_id, patient_id, op, before, after, schema)
       SELECT pg_current_xact_id(), TG_TABLE_NAME, o.id, (to_jsonb(o) ->> compartment)::uuid, 'remove',
              to_jsonb(o), NULL, shape
       FROM old_rows o;
     ELSE
       INSERT INTO journal_staged (transaction, entity, entity_id, patient_id, op, before, after, schema)
       SELECT pg_current_xact_id(), TG_TABLE_NAME, coalesce(n.id, o.id),
              (coalesce(to_jsonb(n), to_jsonb(o)) ->> compartment)::uuid,
              CASE WHEN o.id IS NULL THEN 'insert' WHEN n.id IS NULL THEN 'remove' ELSE 'update' END,
              CASE WHEN n.id IS NULL THEN to_jsonb(o)
                   WHEN o.id IS NOT NULL THEN journal_changed(to_jsonb(o), to_jsonb(n), g.together) END,
              CASE WHEN o.id IS NULL THEN to_jsonb(n)
                   WHEN n.id IS NOT NULL THEN journal_changed(to_jsonb(n), to_jsonb(o), g.together) END,
              shape
       FROM old_rows o FULL JOIN new_rows n ON n.id = o.id
       CROSS JOIN LATERAL (SELECT journal_together(to_jsonb(o), to_jsonb(n), groups) AS together) g
       WHERE to_jsonb(o) IS DISTINCT FROM to_jsonb(n);
     END IF;
     INSERT INTO journal_staged_transactions VALUES (pg_current_xact_id()) ON CONFLICT DO NOTHING;
     RETURN NULL;
   END $$`,

  // Once in a transaction, which is one change set: the setting ends with it, or with its savepoint.
  `CREATE FUNCTION journal_flush_staged() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
   SET search_path = pg_catalog, public, pg_temp AS $$
   BEGIN
     IF current_setting('medlink.flushed', true) = NEW.transaction::text THEN
       RAISE EXCEPTION 'This transaction has been journaled already, and cannot change more: no SET CONSTRAINTS IMMEDIATE before its last change, and no deferred trigger that writes'
         USING ERRCODE = 'ML004';
     END IF;
     PERFORM set_config('medlink.flushed', NEW.transaction::text, true);
     WITH staged AS (DELETE FROM journal_staged WHERE transaction = NEW.transaction RETURNING *),
     ordered AS (
       SELECT nextval('journal_seq') AS seq, s.*
       FROM (SELECT *, count(*) OVER () AS size FROM staged ORDER BY id) s
     )
     INSERT INTO journal (seq, origin, origin_seq, incarnation, change_set, change_set_size, entity, entity_id,
                          patient_id, op, before, after, knows, actor, role, at, schema, captured_by)
     SELECT o.seq, n.code, o.seq, n.incarnation, NEW.transaction::text::bigint, o.size, o.entity, o.entity_id,
            o.patient_id, o.op, o.before, o.after,
            least(coalesce((SELECT c.seq FROM replication_cursors c WHERE c.origin = 'central'), 0),
                  (SELECT stale.knows FROM stale_lanes stale WHERE stale.lane = o.patient_id)),
            session_user, 'database', clock_timestamp(), o.schema, 'database'
     FROM ordered o CROSS JOIN node n;
     DELETE FROM journal_staged_transactions WHERE transaction = NEW.transaction;
     RETURN NULL;
   END $$`,
  `CREATE CONSTRAINT TRIGGER journal_flush_staged AFTER INSERT ON journal_staged_transactions
   DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION journal_flush_staged()`,

  `CREATE FUNCTION journal_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     RAISE EXCEPTION 'TRUNCATE of % cannot be journaled: use DELETE', TG_TABLE_NAME USING ERRCODE = 'ML002';
   END $$`,
  // A row that psql changes gets a new version, so that a screen loaded before is seen to be stale.
  `CREATE FUNCTION journal_raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     NEW.version := OLD.version + 1;
     NEW.updated_at := clock_timestamp();
     RETURN NEW;
   END $$`,

  // The tables under capture, and the version of the shape in which this database has each.
  `CREATE TABLE replicated_tables (name text PRIMARY KEY, schema integer NOT NULL)`,

  // Puts a table under capture: SELECT journal_capture('patients', 'id', 1). Run once by the
  // migration that makes the table, and again by each that raises its schema. Groups are those of its @Merge rules.
  `CREATE FUNCTION journal_capture(target regclass, compartment text, shape integer, groups jsonb DEFAULT '[]')
   RETURNS void
   LANGUAGE plpgsql AS $$
   DECLARE
     outside text := $w$WHEN (current_setting('medlink.capture', true) IS DISTINCT FROM 'app')$w$;
     stage text := format('FOR EACH STATEMENT %s EXECUTE FUNCTION journal_stage(%L, %s, %L)',
                          outside, compartment, shape, groups);
   BEGIN
     INSERT INTO replicated_tables SELECT relname, shape FROM pg_class WHERE oid = target
     ON CONFLICT (name) DO UPDATE SET schema = excluded.schema;
     EXECUTE format('CREATE OR REPLACE TRIGGER journal_stage_insert AFTER INSERT ON %s
                     REFERENCING NEW TABLE AS new_rows %s', target, stage);
     EXECUTE format('CREATE OR REPLACE TRIGGER journal_stage_update AFTER UPDATE ON %s
                     REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows %s', target, stage);
     EXECUTE format('CREATE OR REPLACE TRIGGER journal_stage_delete AFTER DELETE ON %s
                     REFERENCING OLD TABLE AS old_rows %s', target, stage);
     EXECUTE format('CREATE OR REPLACE TRIGGER journal_refuse_truncate BEFORE TRUNCATE ON %s
                     FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse_truncate()', target);
     IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = 'version') THEN
       EXECUTE format('CREATE OR REPLACE TRIGGER journal_raise_version BEFORE UPDATE ON %s FOR EACH ROW
                       WHEN (current_setting(''medlink.capture'', true) IS DISTINCT FROM ''app''
                             AND NEW.version = OLD.version) EXECUTE FUNCTION journal_raise_version()', target);
     END IF;
   END $$`,
];
