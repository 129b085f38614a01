export const NODE_STATES = ['absent', 'up', 'silent'] as const;
export type NodeState = (typeof NODE_STATES)[number];

/** A node that is there gives a sign of life every five seconds. */
const SILENT_AFTER_MS = 30_000;

/** Judged by central's clock alone: both instants are its own. */
export function nodeState(lastSeenAt: Date | null, now: Date): NodeState {
  if (!lastSeenAt) return 'absent';
  return now.getTime() - lastSeenAt.getTime() > SILENT_AFTER_MS ? 'silent' : 'up';
}
