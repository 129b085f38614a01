import type { Chunk, Cursor } from '../journal/chunk.js';
import type { NodeIdentity } from './node-identity.js';

export const LINK = Symbol('LINK');

/** How a relay reaches its peer. `direct` goes through the central database's own connection. */
export interface Link {
  /** Reaches the peer and asks where it stands in this node's journal. Throws when it cannot be reached. */
  open(node: NodeIdentity, signal: AbortSignal): Promise<Cursor>;
  /**
   * Hands a chunk over. Resolves once the peer has applied it durably, or holds it, when the chunk is not
   * closed, in a transaction that the rest of the change set will close.
   */
  deliver(chunk: Chunk): Promise<void>;
  /** Asks the peer for a sign of life. Throws when none comes in time. */
  heartbeat(): Promise<void>;
  /** Lets the connection go. What was not closed is rolled back. */
  close(): Promise<void>;
}
