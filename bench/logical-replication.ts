import type pg from 'pg';
import { withClient } from './clusters.js';

const POLL_MS = 5;
const DEADLINE_MS = 180_000;

/**
 * PostgreSQL's own logical replication of the same two tables, for comparison. Its subscriber does not
 * wait for the disk (`synchronous_commit` is off for a subscription by default), which MedLink's does.
 */
export class LogicalReplication {
  constructor(
    private readonly region: string,
    private readonly central: string,
    private readonly name: string,
  ) {}

  /** Begins to keep what happens in the region, and sends nothing yet. */
  async prepare(): Promise<void> {
    await withClient(this.region, (client) =>
      client.query(`CREATE PUBLICATION ${this.name} FOR TABLE patients, journal`),
    );
    await withClient(this.central, (client) =>
      client.query(
        `CREATE SUBSCRIPTION ${this.name} CONNECTION '${this.region}' PUBLICATION ${this.name}
         WITH (enabled = false, create_slot = true, copy_data = false)`,
      ),
    );
  }

  /** Sends all that was kept. Resolves when central has the journal through `last` and all rows. */
  async drain(last: number): Promise<void> {
    const rows = await withClient(this.region, countRows);
    await withClient(this.central, async (client) => {
      await client.query(`ALTER SUBSCRIPTION ${this.name} ENABLE`);
      const deadline = Date.now() + DEADLINE_MS;
      while ((await lastPosition(client)) < last || (await countRows(client)) !== rows) {
        if (Date.now() > deadline) throw new Error('Logical replication did not finish in time');
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    });
  }

  /** Lets the region's log go. */
  async drop(): Promise<void> {
    await withClient(this.central, (client) => client.query(`DROP SUBSCRIPTION ${this.name}`));
  }
}

/** The newest position of the database's journal; 0 when it is empty. */
export async function lastPosition(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ last: string }>('SELECT coalesce(max(seq), 0) AS last FROM journal');
  return Number(rows[0]?.last);
}

async function countRows(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ counts: string }>(
    `SELECT (SELECT count(*) FROM journal) || ' ' || (SELECT count(*) FROM patients) AS counts`,
  );
  return rows[0]!.counts;
}
