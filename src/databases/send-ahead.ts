import pg, { type ClientBase, type QueryConfig, type QueryResult, type QueryResultRow } from 'pg';
import { inOnePacket } from './in-one-packet.js';

/** A query that whoever sends the next one on the same session need not wait for. */
export interface SentAhead<R extends QueryResultRow> {
  readonly answer: Promise<QueryResult<R>>;
  /**
   * Whether nothing that is sent from now on can reach the server without it. False when the driver holds it back, as it
   * does without `pipeline`, or could not send it: then only the answer tells.
   */
  readonly isSent: boolean;
}

/** Sends a query on a session that sends without waiting (`pipeline`), in one packet with what is sent next at once. */
export function sendAhead<R extends QueryResultRow>(client: ClientBase, config: QueryConfig): SentAhead<R> {
  let isSent = false;
  const answer = new Promise<QueryResult<R>>((resolve, reject) => {
    const query = new pg.Query<R>(config, (error, result) => {
      isSent = false;
      if (error) reject(error);
      else resolve(result);
    });
    const submit: (connection: pg.Connection) => unknown = query.submit.bind(query);
    query.submit = (connection) => {
      isSent = true;
      const problem = submit(connection);
      if (problem) isSent = false;
      return problem;
    };
    inOnePacket(client, () => client.query(query));
  });
  return { answer, isSent };
}
