import type { Socket } from 'node:net';
import type { OwnClient } from '../../src/databases/own-client.js';

/** Where a session is lost: before the nth statement from now on is sent, or when the answer to it is due. */
export interface Cut {
  readonly nth: number;
  readonly when: 'before' | 'after';
}

/** What whoever works with a session that was cut is told: it cannot know what has become of the statement. */
export class CutError extends Error {
  readonly code = 'CUT';

  constructor(cut: Cut) {
    super(`The session was lost ${cut.when} its statement ${String(cut.nth)}`);
    this.name = 'CutError';
  }
}

type Query = (...args: unknown[]) => Promise<unknown>;

/**
 * Lets a session be lost at a statement, as a process that is killed there, or a line that breaks. Gives how to call
 * it off.
 */
export function cutAt(own: Pick<OwnClient, 'client'>, cut: Cut): () => void {
  const client = own.client as unknown as { query: Query; connection: { stream: Socket } };
  const { query } = client;
  let sent = 0;
  client.query = async (...args) => {
    sent += 1;
    if (sent !== cut.nth) return query.apply(client, args);
    if (cut.when === 'after') await query.apply(client, args);
    client.connection.stream.destroy();
    throw new CutError(cut);
  };
  return () => {
    client.query = query;
  };
}
