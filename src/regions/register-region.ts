import type { ClientBase } from 'pg';
import { uuidv7 } from 'uuidv7';
import { flushJournal } from '../journal/flush-journal.js';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import type { FailureCode } from '../observability/failures/failure-codes.js';

/** A node that comes to central: the code of its region, and which database it is of. */
export interface ContactingNode {
  readonly code: string;
  readonly id: string;
  readonly incarnation: number;
}

/**
 * Another node has the region's code: two databases would be sent as one. Remedy: give this node the region that is
 * its own (`MEDLINK_REGION`), or restore the database of the other; when that is lost, an administrator releases the
 * code with `POST /regions/{code}/release`.
 */
export class RegionClaimedError extends Error {
  readonly code = 'REGION_CLAIMED' satisfies FailureCode;

  constructor(readonly region: string) {
    super(
      `Another node has the code of the region ${region} at central. Check MEDLINK_REGION and the database of this ` +
        'node; if the other node is lost, release the code with POST /regions/{code}/release.',
    );
    this.name = 'RegionClaimedError';
  }
}

/**
 * An administrator has stopped the region's exchange with central. Remedy: `PATCH /regions/{code}` with
 * `{"enabled": true}`. Changes wait in the region's journal.
 */
export class RegionDisabledError extends Error {
  readonly code = 'REGION_DISABLED' satisfies FailureCode;

  constructor(readonly region: string) {
    super(
      `The region ${region} is not enabled at central, so nothing is exchanged. Changes wait in the journal until an ` +
        'administrator enables it with PATCH /regions/{code}.',
    );
    this.name = 'RegionDisabledError';
  }
}

const MEDLINK = { actor: 'medlink', actorName: 'MedLink' };

/** Two nodes at once: the second waits at the index until the first has committed, and inserts nothing. */
const ADD = `
  INSERT INTO regions (id, code, name, enabled, version, created_at, updated_at, created_by, updated_by)
  VALUES ($1, $2, $2, true, 1, clock_timestamp(), clock_timestamp(), 'medlink', 'medlink')
  ON CONFLICT (code) DO NOTHING`;

/** A restored database brings the node's id back, so it is the same node. */
const CLAIM = `
  INSERT INTO region_nodes AS known (region, node_id, incarnation, first_seen_at, last_seen_at)
  VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp())
  ON CONFLICT (region) DO UPDATE SET incarnation = excluded.incarnation, last_seen_at = excluded.last_seen_at
  WHERE known.node_id = excluded.node_id`;

const SEEN = `
  UPDATE region_nodes n SET last_seen_at = clock_timestamp() FROM regions r
  WHERE n.region = $1 AND n.node_id = $2 AND r.code = n.region RETURNING r.enabled`;

/**
 * Makes a node known to central, and its region when it is new: journaled there, it goes to every node. In a
 * transaction of its own on `client`, a session of the application at central that is in none. What else than these
 * it throws has broken the session.
 * @throws {RegionClaimedError} when another node has the code
 * @throws {RegionDisabledError} when an administrator has stopped the region's exchange
 */
export async function registerRegion(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  node: ContactingNode,
): Promise<'registered' | 'known'> {
  await client.query('BEGIN');
  const outcome = await claim(client, tables, node);
  // Also what was refused holds the lock of the region's node until here.
  await client.query(outcome instanceof Error ? 'ROLLBACK' : 'COMMIT');
  if (outcome instanceof Error) throw outcome;
  return outcome;
}

async function claim(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  { code, id: nodeId, incarnation }: ContactingNode,
): Promise<'registered' | 'known' | RegionClaimedError | RegionDisabledError> {
  const id = uuidv7();
  const { rowCount: added } = await client.query(ADD, [id, code]);
  if (added === 1) await flushJournal(client, tables, [{ table: 'regions', id, op: 'insert' }], MEDLINK);
  const { rows } = await client.query<{ enabled: boolean }>('SELECT enabled FROM regions WHERE code = $1', [
    code,
  ]);
  if (!rows[0]?.enabled) return new RegionDisabledError(code);
  const { rowCount: claimed } = await client.query(CLAIM, [code, nodeId, incarnation]);
  if (claimed === 0) return new RegionClaimedError(code);
  return added === 1 ? 'registered' : 'known';
}

/**
 * Notes a sign of life of a node that is registered. Throws as {@link registerRegion} does, when the code was
 * released meanwhile, or the exchange was stopped.
 */
export async function noteSignOfLife(
  client: ClientBase,
  { code, id }: Pick<ContactingNode, 'code' | 'id'>,
): Promise<void> {
  const { rows } = await client.query<{ enabled: boolean }>(SEEN, [code, id]);
  if (!rows[0]) throw new RegionClaimedError(code);
  if (!rows[0].enabled) throw new RegionDisabledError(code);
}
