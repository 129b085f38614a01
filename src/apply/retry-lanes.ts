import type { ClientBase } from 'pg';
import { IN_QUARANTINE } from '../journal/quarantined-lanes.js';
import { type Holder, holderOf, type LaneOutcome } from './lanes.js';
import { SCHEMA_AHEAD } from './refusal.js';
import { attempt } from './attempt.js';
import { EMPTY_INCOMING, INCOMING_COLUMNS, MAKE_INCOMING } from './incoming-entries.js';
import { IS_CONCURRENT, lockShared } from './incoming-entry.js';
import { mergeSets } from './merge-sets.js';
import type { ReceivingTable } from './receiving-tables.js';
import { aheadCondition, knownSchemas } from './receiving-tables.js';
import { sendAll } from './send-all.js';
import { knownTables } from './write-entries.js';
import { writePositions } from './write-positions.js';

const TAKE_UP = `
  INSERT INTO incoming_entries (${INCOMING_COLUMNS}, position)
  SELECT ${INCOMING_COLUMNS}, id FROM quarantine WHERE id = ANY($1)`;

/** Who decided, and why. Kept with every entry that the decision touched. */
export interface Decision {
  readonly by: string;
  readonly byName: string;
  readonly reason: string;
}

interface HeldSet {
  readonly ids: readonly string[];
  readonly lanes: readonly string[];
  /** Their tables. */
  readonly entities: readonly string[];
  readonly ahead: boolean;
}

/**
 * Takes up lanes again, in order, and every lane that a held change set joins to them. What fails
 * stays refused, with one attempt more, and what comes behind it in its lanes goes on waiting. In the
 * transaction that is open on `client`; no relay applies anything meanwhile.
 */
export async function retryLanes(
  client: ClientBase,
  tables: ReadonlyMap<string, ReceivingTable>,
  lanes: readonly string[],
  decision: Decision,
): Promise<LaneOutcome> {
  // Relays move their cursor in the same statement that asks for held lanes: they wait here.
  await client.query('SELECT FROM replication_cursors ORDER BY origin FOR UPDATE');
  const held = new Map<string, Holder>();
  const outcome = { applied: 0, refused: 0, waiting: 0, held: 0, opened: 0 };
  for (const set of await setsOfLanes(client, tables, lanes)) {
    const state = await takeUp(client, tables, set, { before: holderOf(set, held), decision });
    if (typeof state === 'number') {
      outcome.applied += set.ids.length;
      outcome.opened += state;
      continue;
    }
    outcome[state] += set.ids.length;
    for (const other of set.lanes) held.set(other, state === 'held' ? 'held' : 'refused');
  }
  return outcome;
}

/** In which state a held set is now; or, when it was applied, how many conflicts it has opened. */
async function takeUp(
  client: ClientBase,
  tables: ReadonlyMap<string, ReceivingTable>,
  set: HeldSet,
  { before, decision }: { before: Holder | undefined; decision: Decision },
): Promise<number | 'refused' | 'waiting' | 'held'> {
  if (!before && !set.ahead) return takeUpSet(client, tables, set, decision);
  const state = before === 'refused' ? 'waiting' : 'held';
  const refusal = before ? undefined : SCHEMA_AHEAD;
  await client.query('UPDATE quarantine SET state = $2, code = $3, message = $4 WHERE id = ANY($1)', [
    set.ids,
    state,
    refusal?.code ?? null,
    refusal?.message ?? null,
  ]);
  return state;
}

/** The held change sets of these lanes and of the lanes that they reach, in the order in which they came. */
async function setsOfLanes(
  client: ClientBase,
  tables: ReadonlyMap<string, ReceivingTable>,
  lanes: readonly string[],
): Promise<HeldSet[]> {
  const { rows } = await client.query<HeldSet>(
    `WITH RECURSIVE held AS (
       SELECT id, lane, entity, origin || '.' || incarnation || '.' || change_set AS key, ${aheadCondition(2)} AS ahead
       FROM quarantine WHERE ${IN_QUARANTINE}
     ), reached(lane) AS (
       SELECT unnest($1::uuid[])
       UNION SELECT other.lane FROM reached
             JOIN held ON held.lane = reached.lane JOIN held other ON other.key = held.key
     )
     SELECT array_agg(id ORDER BY id) AS ids, array_agg(DISTINCT lane) AS lanes,
            array_agg(DISTINCT entity) AS entities, bool_or(ahead) AS ahead
     FROM held WHERE lane IN (SELECT lane FROM reached) GROUP BY key ORDER BY min(id)`,
    [lanes, ...knownSchemas(tables)],
  );
  return rows;
}

/** Applies a held set through the same merge as if it had just come. Gives how many conflicts it has opened. */
async function takeUpSet(
  client: ClientBase,
  tables: ReadonlyMap<string, ReceivingTable>,
  { ids, entities }: HeldSet,
  decision: Decision,
): Promise<number | 'refused'> {
  await client.query(MAKE_INCOMING);
  let opened = 0;
  const refusal = await attempt(client, async () => {
    opened = await apply(client, tables, ids, entities);
  });
  if (refusal) {
    await client.query(
      `UPDATE quarantine SET state = 'refused', code = $2, message = $3, attempts = attempts + 1,
         last_attempt_at = clock_timestamp() WHERE id = ANY($1)`,
      [ids, refusal.code, refusal.message],
    );
    return 'refused';
  }
  await decide(client, ids, 'applied', decision);
  return opened;
}

async function apply(
  client: ClientBase,
  tables: ReadonlyMap<string, ReceivingTable>,
  ids: readonly string[],
  entities: readonly string[],
): Promise<number> {
  const touched = knownTables(tables, entities);
  await client.query(EMPTY_INCOMING);
  await client.query(TAKE_UP, [ids]);
  await sendAll(client, lockShared(touched));
  const { rowCount } = await client.query(`SELECT FROM incoming_entries i WHERE ${IS_CONCURRENT} LIMIT 1`);
  const positions = ids.map(Number);
  if (rowCount !== 0) return mergeSets(client, tables, positions);
  await client.query(writePositions(touched, positions));
  return 0;
}

export async function decide(
  client: ClientBase,
  ids: readonly string[],
  state: 'applied' | 'discarded',
  { by, byName, reason }: Decision,
): Promise<void> {
  await client.query(
    `UPDATE quarantine SET state = $2, decided_at = clock_timestamp(), decided_by = $3, decided_by_name = $4,
       decision_reason = $5, attempts = attempts + ($2 = 'applied')::int,
       last_attempt_at = CASE WHEN $2 = 'applied' THEN clock_timestamp() ELSE last_attempt_at END
     WHERE id = ANY($1)`,
    [ids, state, by, byName, reason],
  );
}
