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

type Answer = (error: Error | undefined, result?: unknown) => void;
/** A statement with its own way to be answered, as `queryWithBytes` sends it; any other is answered by a promise. */
interface Asked {
  callback?: Answer;
  readonly submit?: unknown;
}
type Query = (asked: Asked, ...more: unknown[]) => unknown;

/**
 * Lets a session be lost at a statement, as a process that is killed there, or a line that breaks. Gives how to call
 * it off.
 */
export function cutAt(own: Pick<OwnClient, 'client'>, cut: Cut): () => void {
  const client = own.client as unknown as { query: Query; connection: { stream: Socket } };
  const { query } = client;
  const send = query.bind(client);
  const lose = () => {
    const lost = new CutError(cut);
    client.connection.stream.destroy(lost);
    return lost;
  };
  let sent = 0;
  client.query = (asked, ...more) => {
    sent += 1;
    if (sent !== cut.nth) return send(asked, ...more);
    return asked.submit
      ? cutAnswer(asked, cut, send, lose)
      : cutPromise(() => send(asked, ...more), cut, lose);
  };
  return () => {
    client.query = query;
  };
}

function cutAnswer(asked: Asked, { when }: Cut, send: Query, lose: () => CutError): unknown {
  const answer = asked.callback!;
  if (when === 'before') answer(lose());
  asked.callback = () => {
    answer(lose());
  };
  return when === 'before' ? asked : send(asked);
}

async function cutPromise(send: () => unknown, { when }: Cut, lose: () => CutError): Promise<never> {
  if (when === 'after') await send();
  throw lose();
}
