import type { ClientBase, QueryConfig, QueryResult } from 'pg';
import { inOnePacket } from '../databases/in-one-packet.js';
import { queryWithBytes } from '../databases/query-with-bytes.js';

/**
 * Sends statements at once, so that a session that pipelines waits for central once and not for each. They run one
 * after the other, each on what those before it did. Fails as the first of them that failed: those behind it in the
 * transaction fail for that alone, and may be heard of before it.
 */
export async function sendAll(
  client: ClientBase,
  statements: readonly QueryConfig[],
): Promise<QueryResult<object>[]> {
  const sent = inOnePacket(client, () => statements.map((statement) => send(client, statement)));
  // Once all have been answered, none of them fails with nobody there to hear it.
  await Promise.allSettled(sent);
  const results: QueryResult<object>[] = [];
  for (const answer of sent) results.push(await answer);
  return results;
}

function send(client: ClientBase, statement: QueryConfig): Promise<QueryResult<object>> {
  const hasBytes = statement.values?.some((value) => Buffer.isBuffer(value));
  return hasBytes ? queryWithBytes<object>(client, statement) : client.query<object>(statement);
}
