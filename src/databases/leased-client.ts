import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';

/** A connection of a data source's pool, held for as long as its holder needs it. */
export interface LeasedClient {
  readonly client: ClientBase;
  /** Gives it back; with an error, it is closed instead, since nobody knows what state it is in. */
  release(error?: Error): void;
}

export async function leaseClient(source: DataSource): Promise<LeasedClient> {
  const driver = source.driver as PostgresDriver;
  const [client, giveBack] = (await driver.obtainMasterConnection()) as [ClientBase, (error?: Error) => void];
  let broken: Error | undefined;
  // A connection that breaks while it is held tells so by an event, which would end the process if nobody listened.
  const note = (error: Error) => {
    broken = error;
  };
  client.on('error', note);
  return {
    client,
    release(error) {
      client.off('error', note);
      giveBack(error ?? broken);
    },
  };
}
