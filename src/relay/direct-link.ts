import { Injectable } from '@nestjs/common';
import type { Refusal } from '../apply/apply-in-lanes.js';
import type { DataSource } from 'typeorm';
import { CentralConnection } from '../databases/central-connection.js';
import type { Chunk, Cursor } from '../journal/chunk.js';
import { heldLanes, type HeldLane } from '../journal/quarantined-lanes.js';
import { CentralSession } from './central-session.js';
import type { Delivery, Link } from './link.js';
import type { NodeIdentity } from './node-identity.js';

/** How long to wait for a central that was never reached before telling the status so. Milliseconds. */
const OPEN_PATIENCE_MS = 3_000;

interface CursorRow {
  readonly incarnation: number;
  readonly seq: string;
  readonly witness: string | null;
}

/** The link of a node that reaches central's database itself, over the `default` connection. */
@Injectable()
export class DirectLink implements Link {
  private readonly refused = new Map<string, Refusal>();
  private session: CentralSession | undefined;
  private code = '';

  constructor(private readonly central: CentralConnection) {}

  async open({ code, incarnation }: NodeIdentity, signal: AbortSignal): Promise<Cursor> {
    const source = await this.opened(signal);
    this.session = await CentralSession.open(source, this.refused);
    this.code = code;
    const row = await this.cursorOf(this.session, { code, incarnation });
    return { origin: code, incarnation: row.incarnation, seq: Number(row.seq), witness: row.witness };
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

  /** Waits a while for a central that has not been reached yet, then says why. */
  private async opened(signal: AbortSignal): Promise<DataSource> {
    if (this.central.isOpen) return this.central.whenOpen(signal);
    const patience = AbortSignal.any([signal, AbortSignal.timeout(OPEN_PATIENCE_MS)]);
    try {
      return await this.central.whenOpen(patience);
    } catch (error) {
      throw this.central.lastError ?? error;
    }
  }

  private async cursorOf(session: CentralSession, { code, incarnation }: NodeIdentity): Promise<CursorRow> {
    const find = () =>
      session.ask<CursorRow>('SELECT incarnation, seq, witness FROM replication_cursors WHERE origin = $1', [
        code,
      ]);
    const [known] = await find();
    if (known) return known;
    await session.ask(
      `INSERT INTO replication_cursors (origin, incarnation, seq, applied_at)
       VALUES ($1, $2, 0, clock_timestamp()) ON CONFLICT DO NOTHING`,
      [code, incarnation],
    );
    const [first] = await find();
    return first!;
  }

  private require(): CentralSession {
    if (!this.session) throw new Error('The link is not open');
    return this.session;
  }
}
