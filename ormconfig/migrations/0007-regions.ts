import type { MigrationInterface, QueryRunner } from 'typeorm';

const forwardOnly = (): Promise<void> => {
  throw new Error('Migrations only go forward: restore a backup to go back.');
};

/** Several regions on one central: who they are, who holds a copy of whom, and what people must decide. */
export class RegionaleRegions0007 implements MigrationInterface {
  readonly name = 'Regions0000000000007';
  readonly down = forwardOnly;

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of REPLICATED) await queryRunner.query(statement);
  }
}

export class CentralRegions0007 implements MigrationInterface {
  readonly name = 'Regions0000000000007';
  readonly down = forwardOnly;

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [...REPLICATED, ...AT_CENTRAL]) await queryRunner.query(statement);
  }
}

const RECORD = `
     version integer NOT NULL,
     created_at timestamptz(3) NOT NULL,
     updated_at timestamptz(3) NOT NULL,
     created_by text NOT NULL,
     updated_by text NOT NULL`;

const REPLICATED = [
  // Tells one node from another that claims the same code. A restored database brings it back.
  `ALTER TABLE node ADD id uuid NOT NULL DEFAULT gen_random_uuid()`,

  `CREATE TABLE regions (
     id uuid PRIMARY KEY,
     code text NOT NULL UNIQUE,
     name text NOT NULL,
     enabled boolean NOT NULL,${RECORD}
   )`,
  `SELECT journal_capture('regions', NULL, 1)`,

  // The regions beside its home that have a patient, or whose home others may write to. A patient without a row
  // here is known to the region that registered it and to central alone.
  `CREATE TABLE hosts (
     id uuid PRIMARY KEY,
     patient_id uuid NOT NULL,
     region text NOT NULL,
     kind text NOT NULL CHECK (kind IN ('home', 'copy')),
     created_at timestamptz(3) NOT NULL,
     created_by text NOT NULL,
     UNIQUE (patient_id, region)
   )`,
  `SELECT journal_capture('hosts', 'patient_id', 1)`,

  `CREATE TABLE conflicts (
     id uuid PRIMARY KEY,
     patient_id uuid NOT NULL,
     entity text NOT NULL,
     entity_id uuid NOT NULL,
     other_id uuid,
     region text NOT NULL,
     kind text NOT NULL CHECK (kind IN ('fields', 'removal', 'identity')),
     severity text NOT NULL CHECK (severity IN ('low', 'high', 'critical')),
     state text NOT NULL CHECK (state IN ('open', 'resolved')),
     outcome text CHECK (outcome IN ('merge', 'policy', 'person')),
     fields jsonb NOT NULL CHECK (jsonb_typeof(fields) = 'object'),
     decisions jsonb CHECK (jsonb_typeof(decisions) = 'object'),
     reason text,
     decided_by text,
     decided_by_name text,
     decided_role text,
     decided_node text,
     decided_at timestamptz(3),${RECORD}
   )`,
  `CREATE INDEX conflicts_open ON conflicts (entity_id, region) WHERE state = 'open'`,
  `CREATE INDEX conflicts_patient ON conflicts (patient_id)`,
  `CREATE INDEX conflicts_created ON conflicts (created_at, id)`,
  `SELECT journal_capture('conflicts', 'patient_id', 1,
     '[["severity", "state", "outcome", "fields", "decisions", "reason", "decided_by", "decided_by_name", "decided_role",
        "decided_node", "decided_at"]]')`,

  // Patients whose changes from central this database did not take. They are passed over until the whole file has
  // been fetched anew.
  `CREATE TABLE stale_lanes (
     lane uuid PRIMARY KEY,
     -- How far central's journal has been applied to the patient.
     knows bigint NOT NULL,
     code text NOT NULL,
     message text NOT NULL,
     attempts integer NOT NULL DEFAULT 1,
     since timestamptz(3) NOT NULL DEFAULT clock_timestamp()
   )`,
];

const AT_CENTRAL = [
  // Which node is a region's. Written at each first contact of a node with central; not replicated.
  `CREATE TABLE region_nodes (
     region text PRIMARY KEY,
     node_id uuid NOT NULL,
     incarnation integer NOT NULL,
     first_seen_at timestamptz(3) NOT NULL,
     last_seen_at timestamptz(3) NOT NULL,
     -- What has to be added to the times of the node's database to have central's.
     clock_offset interval NOT NULL DEFAULT '0'
   )`,

  // What is to go down to which region. The change set says what must arrive together.
  `CREATE TABLE deliveries (
     region text NOT NULL,
     seq bigint NOT NULL,
     change_set text NOT NULL,
     PRIMARY KEY (region, seq)
   )`,
  `CREATE INDEX deliveries_change_set ON deliveries (region, change_set)`,

  // Since which position a region is sent what happens to a patient: before, it is in the copy that it is given.
  // Whoever writes without knowing of the copy may have drawn a lower position and still commit later.
  `CREATE TABLE host_copies (
     region text NOT NULL,
     patient_id uuid NOT NULL,
     seq bigint NOT NULL,
     PRIMARY KEY (region, patient_id)
   )`,

  // How far central's journal has been searched for records that share what only one may have.
  `CREATE TABLE identity_watch (singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton), seq bigint NOT NULL)`,
  `INSERT INTO identity_watch (seq) VALUES (0)`,

  // Every way into central's journal (relays, verdicts, administrators, psql) passes here. What central itself
  // makes concerns the patient's home, which becomes a host by it: before, nobody else could write the patient.
  `CREATE FUNCTION journal_deliver() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
   SET search_path = pg_catalog, public, pg_temp SET TimeZone = 'UTC' AS $$
   DECLARE
     unshared text[] := string_to_array(current_setting('medlink.unshared', true), ' ');
   BEGIN
     -- The statement that applies a chunk says so when it has found none of its patients shared, and holds up whoever
     -- would share one. It names the chunk, since a transaction may go on with others.
     IF NOT EXISTS (SELECT FROM new_rows n
                    WHERE n.origin IS DISTINCT FROM unshared[1] OR n.entity = 'hosts'
                       OR n.origin_seq <= unshared[2]::bigint OR n.origin_seq > unshared[3]::bigint) THEN
       RETURN NULL;
     END IF;
     IF EXISTS (SELECT FROM new_rows n WHERE n.origin = 'central' AND n.patient_id IS NOT NULL) THEN
       PERFORM hosts_open_homes(ARRAY(SELECT DISTINCT n.patient_id FROM new_rows n WHERE n.origin = 'central'
                                      AND n.patient_id IS NOT NULL));
     END IF;
     -- Whoever adds another host holds these locks: this waits, and then sees that host.
     PERFORM FROM hosts h WHERE h.patient_id IN (SELECT n.patient_id FROM new_rows n)
     ORDER BY h.patient_id, h.region FOR SHARE;
     INSERT INTO host_copies (region, patient_id, seq)
     SELECT n.after::jsonb ->> 'region', n.patient_id, n.seq FROM new_rows n
     WHERE n.entity = 'hosts' AND n.op = 'insert' AND n.after::jsonb ->> 'kind' = 'copy'
     ON CONFLICT DO NOTHING;
     INSERT INTO deliveries (region, seq, change_set)
     SELECT h.region, n.seq, n.origin || '.' || n.incarnation || '.' || n.change_set
     FROM new_rows n JOIN hosts h ON h.patient_id = n.patient_id AND h.region <> n.origin
     WHERE h.kind = 'home' OR n.seq >= (SELECT c.seq FROM host_copies c
                                        WHERE c.region = h.region AND c.patient_id = h.patient_id)
     UNION ALL
     SELECT r.code, n.seq, n.origin || '.' || n.incarnation || '.' || n.change_set
     FROM new_rows n JOIN regions r ON r.code <> n.origin
     WHERE n.patient_id IS NULL
     ON CONFLICT DO NOTHING;
     RETURN NULL;
   END $$`,

  // Makes the home region of patients their first host. Whoever adds the first host of a patient waits for the
  // relays that apply at this moment, and they wait for it: their next statement sees the host. Otherwise a change
  // on its way in would be neither merged nor passed on.
  `CREATE FUNCTION hosts_open_homes(patients uuid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
   SET search_path = pg_catalog, public, pg_temp SET TimeZone = 'UTC' SET medlink.capture = 'app' AS $$
   DECLARE
     without_hosts boolean;
   BEGIN
     -- Who has looked holds a lock on the table until the end, and two who then want it for themselves would wait for
     -- each other. What is looked at in a block that fails is let go again.
     BEGIN
       without_hosts := EXISTS (SELECT FROM unnest(patients) AS p(id)
                                WHERE NOT EXISTS (SELECT FROM hosts h WHERE h.patient_id = p.id));
       RAISE EXCEPTION 'looked' USING ERRCODE = 'ML000';
     EXCEPTION WHEN SQLSTATE 'ML000' THEN
       IF NOT without_hosts THEN
         RETURN;
       END IF;
     END;
     LOCK TABLE hosts IN ACCESS EXCLUSIVE MODE;
     WITH homes AS (
       SELECT p.id AS patient_id, coalesce(
                (SELECT j.origin FROM journal j WHERE j.patient_id = p.id AND j.entity_id = p.id AND j.op = 'insert'
                 AND j.origin <> 'central' ORDER BY j.seq LIMIT 1),
                (SELECT r.code FROM patients t JOIN regions r ON r.code = t.region WHERE t.id = p.id)) AS region
       FROM unnest(patients) AS p(id)
     ), added AS (
       INSERT INTO hosts (id, patient_id, region, kind, created_at, created_by)
       SELECT gen_random_uuid(), patient_id, region, 'home', clock_timestamp(), 'medlink'
       FROM homes WHERE region IS NOT NULL
         AND NOT EXISTS (SELECT FROM hosts h WHERE h.patient_id = homes.patient_id)
       RETURNING *
     ), numbered AS (SELECT nextval('journal_seq') AS seq, a.* FROM added a)
     INSERT INTO journal (seq, origin, origin_seq, incarnation, change_set, change_set_size, entity, entity_id,
                          patient_id, op, before, after, knows, actor, actor_name, at, schema, captured_by)
     SELECT n.seq, node.code, n.seq, node.incarnation, -n.seq, 1, 'hosts', n.id, n.patient_id, 'insert', NULL,
            to_jsonb(n) - 'seq', 0, 'medlink', 'MedLink', clock_timestamp(), 1, 'application'
     FROM numbered n CROSS JOIN node;
   END $$`,

  `CREATE TRIGGER journal_deliver AFTER INSERT ON journal REFERENCING NEW TABLE AS new_rows
   FOR EACH STATEMENT EXECUTE FUNCTION journal_deliver()`,
];
