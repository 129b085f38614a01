import type pg from 'pg';
import type { Row } from './values.js';
import type { ConvergenceNode, ConvergenceWorld } from './world.js';

/** One journal entry, as JSON has it. */
export interface Entry {
  readonly seq: number;
  readonly origin: string;
  readonly originSeq: number;
  readonly changeSet: string;
  readonly size: number;
  readonly entity: string;
  readonly entityId: string;
  readonly patientId: string;
  readonly op: string;
  readonly before: Row | null;
  readonly after: Row | null;
  readonly knows: number;
  readonly actor: string;
  readonly at: string;
  readonly capturedBy: string;
}

/** What one database has of the patients of a run. Rows by id. */
export interface Holding {
  readonly code: string;
  readonly patients: ReadonlyMap<string, Row>;
  readonly hosts: ReadonlyMap<string, Row>;
  readonly conflicts: ReadonlyMap<string, Row>;
  /** In its order. */
  readonly journal: readonly Entry[];
  /** How far it has applied central's journal. */
  readonly applied: number;
}

export interface HeldEntry extends Entry {
  readonly state: string;
  readonly reason: string | null;
}

export interface Evidence {
  readonly central: Holding;
  readonly regions: readonly Holding[];
  readonly quarantine: readonly HeldEntry[];
  /** How far central has received each region's journal. */
  readonly received: ReadonlyMap<string, number>;
}

const ENTRY = `origin, origin_seq::int AS "originSeq", origin || '.' || incarnation || '.' || change_set AS "changeSet",
  change_set_size AS size, entity, entity_id AS "entityId", patient_id AS "patientId", op, before::jsonb AS before,
  after::jsonb AS after, knows::int AS knows, actor, at::text AS at, captured_by AS "capturedBy"`;

export async function gather(world: ConvergenceWorld, patients: readonly string[]): Promise<Evidence> {
  const [central, ...regions] = await Promise.all(
    [world.central, ...world.regions].map((node) => holding(node, patients)),
  );
  const { rows: quarantine } = await world.central.look.query<HeldEntry>(
    `SELECT id::int AS seq, ${ENTRY}, state, decision_reason AS reason FROM quarantine
     WHERE patient_id = ANY($1) ORDER BY id`,
    [patients],
  );
  const { rows: cursors } = await world.central.look.query<{ origin: string; seq: number }>(
    'SELECT origin, seq::int AS seq FROM replication_cursors',
  );
  const received = new Map(cursors.map(({ origin, seq }) => [origin, seq]));
  return { central: central!, regions, quarantine, received };
}

async function holding({ code, look }: ConvergenceNode, patients: readonly string[]): Promise<Holding> {
  const { rows: journal } = await look.query<Entry>(
    `SELECT seq::int AS seq, ${ENTRY} FROM journal WHERE patient_id = ANY($1) ORDER BY seq`,
    [patients],
  );
  const { rows: cursors } = await look.query<{ seq: number }>(
    `SELECT seq::int AS seq FROM replication_cursors WHERE origin = 'central'`,
  );
  return {
    code,
    applied: cursors[0]?.seq ?? 0,
    patients: await rowsOf(look, 'patients', 'id', patients),
    hosts: await rowsOf(look, 'hosts', 'patient_id', patients),
    conflicts: await rowsOf(look, 'conflicts', 'patient_id', patients),
    journal,
  };
}

async function rowsOf(
  look: pg.Client,
  table: string,
  column: string,
  patients: readonly string[],
): Promise<Map<string, Row>> {
  const { rows } = await look.query<{ id: string; row: Row }>(
    `SELECT t.id, to_jsonb(t) AS row FROM ${table} t WHERE ${column} = ANY($1) ORDER BY t.id`,
    [patients],
  );
  return new Map(rows.map(({ id, row }) => [id, row]));
}
