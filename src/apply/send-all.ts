import type { ClientBase, QueryConfig, QueryResult } from 'pg';
import { inOnePacket } from '../databases/in-one-packet.js';
import { queryWithBytes } from '../databases/query-with-bytes.js';

/**
 * Sends statements at once, so that a session that pipelines waits for central once and not for each. They run one
 * after the other, each on what those before it did. Fails as the first of them that failed: those behind it in the
 * transaction fail for that alone.
 */
export function sendAll(
  client: ClientBase,
  statements: readonly QueryConfig[],
): Promise<QueryResult<object>[]> {
  return inOnePacket(client, () => Promise.all(statements.map((statement) => send(client, statement))));
}

function send(client: ClientBase, statement: QueryConfig): Promise<QueryResult<object>> {
  const hasBytes = statement.values?.some((value) => Buffer.isBuffer(value));
  return hasBytes ? queryWithBytes<object>(client, statement) : client.query<object>(statement);
}
