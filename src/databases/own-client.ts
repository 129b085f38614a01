import { Logger } from '@nestjs/common';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';

const logger = new Logger('Session');

/** A session beside the pool, for whoever works on it alone and for long. */
export interface OwnClient {
  readonly client: pg.Client;
  /** Ends the session, also in the middle of a query: the server rolls back whatever was open. */
  readonly close: () => void;
}

/**
 * Opens a session with the settings of a data source's pool. No answer within `answerWithinMs` fails the query;
 * then the session is of no more use. It does not wait behind the pool's queries, nor they behind its. With `pipeline`
 * a query is sent before the one before it is answered.
 */
export async function openClient(
  source: DataSource,
  answerWithinMs: number,
  { pipeline }: { readonly pipeline: boolean } = { pipeline: false },
): Promise<OwnClient> {
  const { options } = (source.driver as PostgresDriver).master as { options: pg.ClientConfig };
  // The driver's types do not know of `pipeline` yet.
  const config: pg.ClientConfig & { pipeline: boolean } = {
    ...options,
    query_timeout: answerWithinMs,
    pipeline,
  };
  const client = new pg.Client(config);
  // A session that breaks tells so by an event, which would end the process if nobody listened. Its queries fail.
  client.on('error', () => {
    close();
  });
  let closed = false;
  const close = () => {
    if (closed) return;
    closed = true;
    // With queries on their way, the driver would wait for their answers first.
    if (pipeline) client.connection.stream.destroy();
    client.end().catch((error: unknown) => {
      logger.debug(`A session was gone before it was closed: ${String(error)}`);
    });
  };
  try {
    await client.connect();
  } catch (error) {
    close();
    throw error;
  }
  return { client, close };
}
