import type { ClientBase } from 'pg';
import { IN_QUARANTINE } from '../journal/quarantined-lanes.js';
import type { LaneOutcome } from './lanes.js';
import type { ReceivingTable } from './receiving-tables.js';
import { aheadCondition, knownSchemas } from './receiving-tables.js';
import { type Decision, retryLanes } from './retry-lanes.js';

const UPGRADED: Decision = { by: 'medlink', byName: 'MedLink', reason: 'Upgraded' };

/** Lanes of which the first change waits for an upgrade that has come. */
const RELEASABLE = `
  SELECT lane FROM (SELECT DISTINCT ON (lane) lane, state, entity, schema FROM quarantine
                    WHERE ${IN_QUARANTINE} ORDER BY lane, id) head
  WHERE state = 'held' AND NOT ${aheadCondition(1)} ORDER BY lane`;

const STILL_HELD = `SELECT FROM quarantine WHERE lane = $1 AND state = 'held' LIMIT 1`;

/**
 * Applies what newer nodes had sent and this database did not know, as far as it knows it now: each lane in order, in a
 * transaction of its own.
 */
export async function releaseHeld(
  client: ClientBase,
  tables: ReadonlyMap<string, ReceivingTable>,
): Promise<LaneOutcome> {
  const { rows } = await client.query<{ lane: string }>(RELEASABLE, knownSchemas(tables));
  const total = { applied: 0, refused: 0, waiting: 0, held: 0, opened: 0 };
  for (const { lane } of rows) {
    // A lane before it may have taken it along.
    const { rowCount } = await client.query(STILL_HELD, [lane]);
    if (rowCount === 0) continue;
    await client.query('BEGIN');
    const outcome = await retryLanes(client, tables, [lane], UPGRADED);
    await client.query('COMMIT');
    for (const key of ['applied', 'refused', 'waiting', 'held', 'opened'] as const)
      total[key] += outcome[key];
  }
  return total;
}
