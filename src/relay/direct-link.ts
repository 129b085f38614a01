import { Injectable } from '@nestjs/common';
import type { Refusal } from '../apply/apply-in-lanes.js';
import { CentralConnection } from '../databases/central-connection.js';
import type { Chunk, Cursor } from '../journal/chunk.js';
import { heldLanes, type HeldLane } from '../journal/quarantined-lanes.js';
import { CentralSession } from './central-session.js';
import type { Delivery, Link } from './link.js';
import type { NodeIdentity } from './node-identity.js';

/** The link of a node that reaches central's database itself, over the `default` connection. */
@Injectable()
export class DirectLink implements Link {
  private readonly refused = new Map<string, Refusal>();
  private session: CentralSession | undefined;
  private code = '';

  constructor(private readonly central: CentralConnection) {}

  async open({ code, incarnation }: NodeIdentity, signal: AbortSignal): Promise<Cursor> {
    const source = await this.central.whenOpen(signal);
    this.session = await CentralSession.open(source, this.refused);
    this.code = code;
    await this.session.ask(
      `INSERT INTO replication_cursors (origin, incarnation, seq, applied_at)
       VALUES ($1, $2, 0, clock_timestamp()) ON CONFLICT DO NOTHING`,
      [code, incarnation],
    );
    const [row] = await this.session.ask<{ incarnation: number; seq: string; witness: string | null }>(
      'SELECT incarnation, seq, witness FROM replication_cursors WHERE origin = $1',
      [code],
    );
    return { origin: code, incarnation: row!.incarnation, seq: Number(row!.seq), witness: row!.witness };
  }

  deliver(chunk: Chunk): Promise<Delivery> {
    return this.require().deliver(chunk);
  }

  heldLanes(): Promise<HeldLane[]> {
    const session = this.require();
    return heldLanes((sql, values) => session.ask(sql, values), this.code);
  }

  close(): Promise<void> {
    this.session?.close();
    this.session = undefined;
    return Promise.resolve();
  }

  private require(): CentralSession {
    if (!this.session) throw new Error('The link is not open');
    return this.session;
  }
}
