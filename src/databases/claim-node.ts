import type { DataSource } from 'typeorm';

/** The database belongs to another node. Remedy: the right DATABASE_*_URL, data directory or MEDLINK_REGION. */
export class NodeMismatchError extends Error {
  readonly code = 'NODE_MISMATCH';

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

const CLUSTER = '(SELECT system_identifier FROM pg_control_system())';

/**
 * Writes whose database this is, the first time; later refuses another's with {@link NodeMismatchError}.
 *
 * A database that was dumped and loaded into another cluster begins a new incarnation: transactions, which name
 * change sets, are counted from the beginning there.
 */
export async function claimNode(source: DataSource, code: string): Promise<void> {
  await source.query(`INSERT INTO node (code, cluster) VALUES ($1, ${CLUSTER}) ON CONFLICT DO NOTHING`, [
    code,
  ]);
  const [node] = await source.query<{ code: string }[]>('SELECT code FROM node');
  if (node!.code !== code) throw new NodeMismatchError(code, node!.code);
  await source.query(
    `UPDATE node SET incarnation = incarnation + (cluster IS NOT NULL)::int, cluster = ${CLUSTER}
     WHERE cluster IS DISTINCT FROM ${CLUSTER}`,
  );
}
