import type { NodeMode } from '../config/config.js';

/** The two connections. No other folder spells them. */
export const CENTRAL = 'default';
export const REGIONALE = 'regionale';

export type ConnectionName = typeof CENTRAL | typeof REGIONALE;

/** The connection that a node of this mode serves its own clinicians and administrators from. */
export function homeConnection(mode: NodeMode): ConnectionName {
  return mode === 'central' ? CENTRAL : REGIONALE;
}

/** The connections that a node of this mode opens. */
export function connectionsOf(mode: NodeMode): readonly ConnectionName[] {
  return mode === 'central' ? [CENTRAL] : [CENTRAL, REGIONALE];
}
