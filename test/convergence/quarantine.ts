import { discardSet } from '../../src/apply/discard-set.js';
import { retryLanes } from '../../src/apply/retry-lanes.js';
import { openClient } from '../../src/databases/own-client.js';
import type { Random } from '../faults/random.js';
import type { Attempts } from './attempts.js';
import { JUDGE } from './people.js';
import type { ConvergenceNode } from './world.js';

const ANSWER_MS = 10_000;
const DECISION = { by: JUDGE, byName: JUDGE, reason: 'to see' };

/** Somebody takes up what is held again, or drops it, as the application does. */
export async function decideQuarantine(
  kind: 'retry' | 'discard',
  central: ConvergenceNode,
  attempts: Attempts,
  random: Random,
): Promise<void> {
  const { rows } = await central.look.query<{ id: string; lane: string }>(
    `SELECT id, lane FROM quarantine WHERE state = 'refused' ORDER BY id`,
  );
  if (rows.length === 0) return;
  const { id, lane } = random.pick(rows);
  const { client, close } = await openClient(central.source, ANSWER_MS);
  await attempts.one(kind, async () => {
    await client.query(`SET application_name = 'relay decision'`);
    await client.query('BEGIN');
    const taken =
      kind === 'discard' ? await discardSet(client, central.tables, id, DECISION) : { lanes: [lane] };
    if (typeof taken !== 'string') await retryLanes(client, central.tables, taken.lanes, DECISION);
    await client.query('COMMIT');
  });
  close();
}
