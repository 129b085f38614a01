import type { ClientBase } from 'pg';
import { attempt } from './attempt.js';
import type { DeliveredEntry, Delivery } from '../journal/delivery.js';
import { layOver, moveDownCursor } from './apply-delivery.js';
import type { ReceivingTable } from './receiving-tables.js';
import { LANE_HELD, type Refusal, SCHEMA_AHEAD } from './refusal.js';

/** The lane of what belongs to everyone. */
export const EVERYONE = '00000000-0000-0000-0000-000000000000';

/** Patients whose file this database has not taken from central as it came: they wait to be fetched anew. */
export async function staleLanes(client: ClientBase): Promise<Set<string>> {
  const { rows } = await client.query<{ lane: string }>('SELECT lane FROM stale_lanes ORDER BY since');
  return new Set(rows.map(({ lane }) => lane));
}

/**
 * Applies a delivery that this database did not take as a whole, one change set after the other, in the transaction
 * that is open on `client`. The patients of a set that is refused become stale: what comes for them is passed over
 * from there on, and everybody else's changes go on. Gives how many change sets were refused, apart from those that wait
 * for this node's upgrade.
 */
export async function applyInSets(
  client: ClientBase,
  tables: ReadonlyMap<string, ReceivingTable>,
  delivery: Delivery,
): Promise<number> {
  await moveDownCursor(client, delivery);
  const stale = await staleLanes(client);
  let refused = 0;
  for (const set of changeSets(delivery)) {
    const lanes = set.entries.map(laneOf);
    if (lanes.some((lane) => stale.has(lane))) {
      // A set that reaches a stale patient cannot be had whole: its other patients are fetched anew too.
      await markStale(client, lanes, delivery.after, {
        code: LANE_HELD.code,
        message: 'It changed together with a stale patient',
      });
    } else {
      const failure = await attempt(client, () => layOver(client, tables, set));
      if (!failure) continue;
      await markStale(client, lanes, delivery.after, failure);
      if (failure.code !== SCHEMA_AHEAD.code) refused += 1;
    }
    for (const lane of lanes) stale.add(lane);
  }
  return refused;
}

/**
 * The change sets of a delivery, in their order, each with the copies that its entries ask for. Those that go through
 * each other, as what was merged and what came of it, are one: apart, they would be applied in another order.
 */
function changeSets(delivery: Delivery): Delivery[] {
  const ends = new Map(delivery.entries.map((entry) => [setOf(entry), Number(entry.seq)]));
  const sets: { entries: DeliveredEntry[]; end: number }[] = [];
  for (const entry of delivery.entries) {
    const open = sets.at(-1);
    const end = ends.get(setOf(entry))!;
    if (open && Number(entry.seq) <= open.end) {
      open.entries.push(entry);
      open.end = Math.max(open.end, end);
    } else {
      sets.push({ entries: [entry], end });
    }
  }
  return sets.map(({ entries }) => {
    const seqs = new Set(entries.map(({ seq }) => Number(seq)));
    return { ...delivery, entries, copies: delivery.copies.filter(({ seq }) => seqs.has(seq)) };
  });
}

const setOf = ({ origin, incarnation, change_set: set }: DeliveredEntry) =>
  [origin, incarnation, set].join('.');

const laneOf = ({ patient_id }: DeliveredEntry) => patient_id ?? EVERYONE;

async function markStale(
  client: ClientBase,
  lanes: readonly string[],
  knows: number,
  failure: Refusal,
): Promise<void> {
  await client.query(
    `INSERT INTO stale_lanes (lane, knows, code, message) SELECT DISTINCT lane, $2::bigint, $3, $4
     FROM unnest($1::uuid[]) lane ON CONFLICT (lane) DO NOTHING`,
    [lanes, knows, failure.code, failure.message],
  );
}

/**
 * Lays a file that was fetched anew over what this database has of it, in the transaction that is open on `client`:
 * what central has no more goes, but for records with own edits that central has not judged yet. When this database
 * still refuses it, the patient stays stale. Gives whether it was taken.
 */
export async function refreshLane(
  client: ClientBase,
  tables: ReadonlyMap<string, ReceivingTable>,
  fresh: Delivery,
): Promise<boolean> {
  const failure = await attempt(client, () => layOver(client, tables, fresh));
  const { patientId } = fresh.copies[0]!;
  const lane = patientId ?? EVERYONE;
  if (failure) {
    await client.query(
      `UPDATE stale_lanes SET attempts = attempts + 1, code = $2, message = $3 WHERE lane = $1`,
      [lane, failure.code, failure.message],
    );
    return false;
  }
  for (const { name, compartment } of tables.values()) {
    if (patientId !== null && compartment !== null) await dropGone(client, { name, compartment }, fresh);
  }
  await client.query('DELETE FROM stale_lanes WHERE lane = $1', [lane]);
  return true;
}

async function dropGone(
  client: ClientBase,
  { name, compartment }: { readonly name: string; readonly compartment: string },
  { incorporated, copies }: Delivery,
): Promise<void> {
  const { patientId, rows } = copies[0]!;
  const there = rows.filter(({ table }) => table === name).map(({ id }) => id);
  await client.query(
    `DELETE FROM "${name}" t WHERE t."${compartment}" = $1 AND t.id <> ALL($2::uuid[])
       AND NOT EXISTS (SELECT FROM journal j JOIN node ON node.code = j.origin
                       WHERE j.patient_id = $1 AND j.entity_id = t.id AND j.seq > $3)`,
    [patientId, there, incorporated],
  );
}
