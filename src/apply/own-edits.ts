import type { ClientBase } from 'pg';
import type { Delivery } from '../journal/delivery.js';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import type { OwnEdits, Step } from './fold-delivery.js';

/** One thing that a delivery says about a record. */
export interface DeliveredStep extends Step {
  readonly table: string;
  readonly id: string;
  /** JSON text: the whole row, or some columns. */
  readonly after: string | null;
  /** Where it stands in central's journal. */
  readonly seq: number;
}

/**
 * What this node did to the records and central has judged, knowing of something that is delivered here. That happens
 * when a restored node is told again what it knew: what it did then belongs behind that.
 */
export async function laterOwnSteps(
  client: ClientBase,
  { name, compartment }: ReplicatedTable,
  ids: readonly string[],
  delivery: Delivery,
): Promise<Map<string, DeliveredStep[]>> {
  const { rows } = await client.query<{ id: string; op: string; after: string | null; knows: string }>({
    name: compartment === null ? 'later-own-steps of everyone' : 'later-own-steps',
    text: `SELECT j.entity_id AS id, j.op, j.after::text AS after, j.knows
     FROM journal j JOIN node ON node.code = j.origin
     WHERE ${ofPatients(compartment, 3)}
       AND j.seq <= $2 AND j.knows > $4 AND j.entity_id = ANY($1) ORDER BY j.seq`,
    values: [ids, delivery.incorporated, patientsOf(delivery), delivery.after],
  });
  const steps = new Map<string, DeliveredStep[]>();
  for (const { id, op, after, knows } of rows) {
    const step = { table: name, id, op, after, seq: Number(knows) + 0.5 };
    steps.set(id, [...(steps.get(id) ?? []), step]);
  }
  return steps;
}

/** What this node has done to the records, as far as the delivery does not hold what central has made of it. */
export async function ownEdits(
  client: ClientBase,
  { compartment }: ReplicatedTable,
  ids: readonly string[],
  delivery: Delivery,
): Promise<Map<string, OwnEdits>> {
  const { incorporated, overtaken } = delivery;
  const firsts = Object.values(overtaken).map((first) => first - 1);
  const { rows } = await client.query<{ id: string; columns: string[] | null; last: string | null }>({
    name: compartment === null ? 'own-edits of everyone' : 'own-edits',
    text: `SELECT j.entity_id AS id,
            (array_agg(j.op ORDER BY j.seq DESC) FILTER (WHERE j.op IN ('insert', 'remove')))[1] AS last,
            array_agg(DISTINCT key) FILTER (WHERE j.op = 'update') AS columns
     FROM journal j JOIN node ON node.code = j.origin
     LEFT JOIN LATERAL jsonb_object_keys(j.after::jsonb) key ON j.op = 'update'
     WHERE ${ofPatients(compartment, 3)} AND j.seq > $4 AND j.entity_id = ANY($1)
       AND j.seq > least($2::bigint, ($5::jsonb ->> j.patient_id::text)::bigint - 1) GROUP BY 1`,
    values: [
      ids,
      incorporated,
      patientsOf(delivery),
      Math.min(incorporated, ...firsts),
      JSON.stringify(overtaken),
    ],
  });
  return new Map(
    rows.map(({ id, columns, last }) => [id, { columns: new Set(columns), presence: presenceAfter(last) }]),
  );
}

function presenceAfter(op: string | null): OwnEdits['presence'] {
  if (op === null) return undefined;
  return op === 'insert' ? 'made' : 'removed';
}

/** By the index of the journal's patients. */
function ofPatients(compartment: string | null, parameter: number): string {
  const patients = `$${String(parameter)}::uuid[]`;
  return compartment === null
    ? `${patients} IS NOT NULL AND j.patient_id IS NULL`
    : `j.patient_id = ANY(${patients})`;
}

function patientsOf({ entries, copies }: Delivery): string[] {
  const owners = [
    ...entries.map(({ patient_id }) => patient_id),
    ...copies.map(({ patientId }) => patientId),
  ];
  return [...new Set(owners.filter((id) => id !== null))];
}
