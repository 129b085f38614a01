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

/** Writes whose database this is, the first time; later refuses another's with {@link NodeMismatchError}. */
export async function claimNode(source: DataSource, code: string): Promise<void> {
  await source.query('INSERT INTO node (code) VALUES ($1) ON CONFLICT DO NOTHING', [code]);
  const [node] = await source.query<{ code: string }[]>('SELECT code FROM node');
  if (node!.code !== code) throw new NodeMismatchError(code, node!.code);
}
