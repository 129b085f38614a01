import type { Chunk, Cursor } from '../journal/chunk.js';
import type { HeldLane } from '../journal/quarantined-lanes.js';
import type { NodeIdentity } from './node-identity.js';

export const LINK = Symbol('LINK');

/** What became of a chunk's entries that were not applied: central holds them in quarantine. */
export interface Delivery {
  /** They failed. */
  readonly refused: number;
  /** They belong to a patient of whom an earlier change was refused. */
  readonly waiting: number;
  /** A newer version made them, or they come behind such a one: they wait until central is upgraded. */
  readonly held: number;
  /** Conflicts that were opened, and wait for a person. */
  readonly opened: number;
}

/** How a relay reaches its peer. `direct` goes through the central database's own connection. */
export interface Link {
  /**
   * Reaches the peer and asks where it stands in this node's journal. `standby`: another process sends for this
   * node; ask again. Throws when the peer cannot be reached.
   */
  open(node: NodeIdentity, signal: AbortSignal): Promise<Cursor | 'standby'>;
  /**
   * Hands a chunk over. Resolves once the peer has applied it durably, or holds it, when the chunk is not
   * closed, in a transaction that the rest of the change set will close.
   *
   * Behind a closed chunk, the next may be handed over before this resolves; what became of them comes in their order,
   * and when one fails, so do those behind it.
   */
  deliver(chunk: Chunk): Promise<Delivery>;
  /**
   * The lanes of this node's changes that central holds in quarantine. Also asked as a sign of life: throws
   * when no answer comes in time.
   */
  heldLanes(): Promise<HeldLane[]>;
  /** Lets the connection go. What was not closed is rolled back. */
  close(): Promise<void>;
}
