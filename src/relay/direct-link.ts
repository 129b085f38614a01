import { Injectable } from '@nestjs/common';
import type { ClientBase } from 'pg';
import { applyChunk } from '../apply/apply-chunk.js';
import { CentralConnection } from '../databases/central-connection.js';
import type { Chunk, Cursor } from '../journal/chunk.js';
import { replicatedTables, type ReplicatedTable } from '../journal/replicated-tables.js';
import { leaseClient, type LeasedClient } from './leased-client.js';
import type { Link } from './link.js';
import type { NodeIdentity } from './node-identity.js';

/** Longest silence of central before a link counts as hung, in milliseconds. */
const ANSWER_TIMEOUT_MS = 8_000;

interface Session extends LeasedClient {
  readonly tables: ReadonlyMap<string, ReplicatedTable>;
}

/** The link of a node that reaches central's database: applies chunks on the central database itself, over the `default` connection. */
@Injectable()
export class DirectLink implements Link {
  private session: Session | undefined;
  private inTransaction = false;

  constructor(private readonly central: CentralConnection) {}

  async open(node: NodeIdentity, signal: AbortSignal): Promise<Cursor> {
    const source = await this.central.whenOpen(signal);
    const tables = new Map(replicatedTables(source).map((table) => [table.name, table]));
    this.session = { ...(await leaseClient(source)), tables };
    this.inTransaction = false;
    return this.cursor(node);
  }

  async deliver(chunk: Chunk): Promise<void> {
    const { client, tables } = this.require();
    if (!chunk.closed && !this.inTransaction) {
      await this.ask(client, 'BEGIN');
      this.inTransaction = true;
    }
    await applyChunk(client, tables, chunk);
    if (chunk.closed && this.inTransaction) {
      await this.ask(client, 'COMMIT');
      this.inTransaction = false;
    }
  }

  async heartbeat(): Promise<void> {
    await this.ask(this.require().client, 'SELECT');
  }

  /** The connection is closed, not given back, so that central rolls back whatever was open. */
  close(): Promise<void> {
    this.session?.release(new Error('The link was closed'));
    this.session = undefined;
    return Promise.resolve();
  }

  private async cursor({ code, incarnation }: NodeIdentity): Promise<Cursor> {
    const { client } = this.require();
    await this.ask(
      client,
      `INSERT INTO replication_cursors (origin, incarnation, seq, applied_at)
       VALUES ($1, $2, 0, clock_timestamp()) ON CONFLICT DO NOTHING`,
      [code, incarnation],
    );
    const found = await this.ask(
      client,
      'SELECT incarnation, seq FROM replication_cursors WHERE origin = $1',
      [code],
    );
    const row = found[0] as { incarnation: number; seq: string };
    return { origin: code, incarnation: row.incarnation, seq: Number(row.seq) };
  }

  private async ask(client: ClientBase, text: string, values: unknown[] = []): Promise<unknown[]> {
    const query = { text, values, query_timeout: ANSWER_TIMEOUT_MS };
    const result = await client.query<Record<string, unknown>>(query);
    return result.rows;
  }

  private require(): Session {
    if (!this.session) throw new Error('The link is not open');
    return this.session;
  }
}
