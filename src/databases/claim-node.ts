import type { DataSource } from 'typeorm';
import type { FailureCode } from '../observability/failures/failure-codes.js';

/** The database belongs to another node. Remedy: the right DATABASE_*_URL, data directory or MEDLINK_REGION. */
export class NodeMismatchError extends Error {
  readonly code = 'NODE_MISMATCH' satisfies FailureCode;

  constructor(
    readonly expected: string,
    readonly found: string,
  ) {
    super(
      `The database belongs to the node "${found}", but this node needs that of "${expected}". ` +
        'Check MEDLINK_NODE and MEDLINK_REGION, and that the database URL (or MEDLINK_DATA_DIR) is this node’s own.',
    );
    this.name = 'NodeMismatchError';
  }
}

/**
 * Tells a database from what it was before a restore: dumped and loaded, it is in another cluster or is another
 * database of it; recovered to a point in time, it is on another timeline. Only files that were put back in place look
 * the same; the peer notices those. A standby is not asked: nothing can be written there.
 */
const CLUSTER = `(
  SELECT CASE WHEN pg_is_in_recovery() THEN (SELECT cluster FROM node) ELSE hashtextextended(
    concat_ws('/', s.system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8), d.oid), 0) END
  FROM pg_control_system() s, pg_database d WHERE d.datname = current_database())`;

/** So many positions are passed over after a restore: more than were ever used since any backup. */
const LEAP = 1_000_000_000;

/**
 * A restored journal counts on from where the backup was made, though others may have seen what came after. It begins
 * a new incarnation, behind all of it. Transactions, which name change sets, may be counted anew as well.
 */
const BEGIN_INCARNATION = `
  WITH moved AS (
    UPDATE node SET incarnation = incarnation + (cluster IS NOT NULL)::int, cluster = ${CLUSTER}
    FROM (SELECT cluster AS earlier FROM node) before
    WHERE cluster IS DISTINCT FROM ${CLUSTER} RETURNING before.earlier IS NOT NULL AS restored
  )
  SELECT setval('journal_seq', s.last_value + ${String(LEAP)}) FROM moved, journal_seq s WHERE moved.restored`;

/**
 * Writes whose database this is, the first time; later refuses another's with {@link NodeMismatchError}.
 * Notices a restored database, which then begins a new incarnation of its journal.
 */
export async function claimNode(source: DataSource, code: string): Promise<void> {
  const node = (await find(source)) ?? (await claim(source, code));
  if (node.code !== code) throw new NodeMismatchError(code, node.code);
  // Not even an attempt to write where nothing is to be written: the database may be read-only for now.
  if (node.moved) await source.query(BEGIN_INCARNATION);
}

interface FoundNode {
  readonly code: string;
  /** It was elsewhere before, or it was not known yet where. */
  readonly moved: boolean;
}

async function find(source: DataSource): Promise<FoundNode | undefined> {
  const [node] = await source.query<FoundNode[]>(
    `SELECT code, cluster IS DISTINCT FROM ${CLUSTER} AS moved FROM node`,
  );
  return node;
}

async function claim(source: DataSource, code: string): Promise<FoundNode> {
  await source.query(`INSERT INTO node (code, cluster) VALUES ($1, ${CLUSTER}) ON CONFLICT DO NOTHING`, [
    code,
  ]);
  return (await find(source))!;
}
