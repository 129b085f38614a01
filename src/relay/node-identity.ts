import type { ClientBase } from 'pg';

/** Whose journal a database holds. */
export interface NodeIdentity {
  /** Tells this node from another one that has the same code by mistake. */
  readonly id: string;
  /** Region code, or `central`. */
  readonly code: string;
  readonly incarnation: number;
}

export async function readNodeIdentity(client: ClientBase): Promise<NodeIdentity> {
  const result = await client.query<NodeIdentity>('SELECT id, code, incarnation FROM node');
  const identity = result.rows[0];
  if (!identity) throw new Error('The database does not say which node it belongs to');
  return identity;
}
