import type { ClientBase, QueryConfig } from 'pg';
import { codeOf, failureKind } from './failure.js';
import type { Refusal } from './refusal.js';
import { sendAll } from './send-all.js';

/** They begin and end what may be refused. For who sends them together with it: see {@link undoIfRefused}. */
export const SAVEPOINT: QueryConfig = { text: 'SAVEPOINT attempt' };
export const RELEASE: QueryConfig = { text: 'RELEASE SAVEPOINT attempt' };
const ROLLBACK: QueryConfig = { text: 'ROLLBACK TO SAVEPOINT attempt' };

/** Does `work` in the transaction that is open on `client`, or nothing of it when it is refused: then gives why. */
export async function attempt(client: ClientBase, work: () => Promise<void>): Promise<Refusal | undefined> {
  return undoIfRefused(client, async () => {
    await client.query(SAVEPOINT);
    await work();
    await client.query(RELEASE);
  });
}

/** The same for `work` that sets the savepoint, and releases it, itself. Throws what may not happen again. */
export async function undoIfRefused(
  client: ClientBase,
  work: () => Promise<void>,
): Promise<Refusal | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (failureKind(error) === 'transient') throw error;
    // Without its release, each attempt would be one in the one before.
    await sendAll(client, [ROLLBACK, RELEASE]);
    return { code: codeOf(error), message: (error as Error).message };
  }
}
