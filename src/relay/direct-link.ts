import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { Refusal } from '../apply/refusal.js';
import type { DataSource } from 'typeorm';
import { CentralConnection } from '../databases/central-connection.js';
import type { Chunk, Cursor } from '../journal/chunk.js';
import { heldLanes, type HeldLane } from '../journal/quarantined-lanes.js';
import { CentralSession } from './central-session.js';
import { JournalAgreement } from './journal-agreement.js';
import type { Delivery, Link } from './link.js';
import type { NodeIdentity } from './node-identity.js';

/** How long to wait for a central that was never reached before telling the status so. Milliseconds. */
const OPEN_PATIENCE_MS = 3_000;
/** Central ends a session that is silent for 15 s. Milliseconds. */
const SIGN_OF_LIFE_MS = 5_000;

interface CursorRow {
  readonly incarnation: number;
  readonly seq: string;
  readonly witness: string | null;
}

/** The link of a node that reaches central's database itself, over the `default` connection. */
@Injectable()
export class DirectLink implements Link {
  private readonly logger = new Logger(DirectLink.name);
  private readonly refused = new Map<string, Refusal>();
  /** By this, sessions that a broken line has left behind are known to be this process's own. */
  private readonly owner = `medlink-relay ${randomUUID()}`;
  private session: CentralSession | undefined;
  private node: NodeIdentity | undefined;
  /** By the monotonic clock. */
  private notedAt = 0;

  constructor(
    private readonly central: CentralConnection,
    private readonly agreement: JournalAgreement,
  ) {}

  async open(node: NodeIdentity, signal: AbortSignal): Promise<Cursor | 'standby'> {
    const { code } = node;
    this.node = node;
    this.session ??= await this.registered(node, signal);
    const { session } = this;
    if (!(await session.lead(code))) return 'standby';
    await session.releaseHeld(code);
    const row = await this.cursorOf(session, node);
    const cursor = { origin: code, incarnation: row.incarnation, seq: Number(row.seq), witness: row.witness };
    return this.keepingAlive(
      session,
      this.agreement.reach(cursor, (sql, values) => session.ask(sql, values)),
    );
  }

  async deliver(chunk: Chunk): Promise<Delivery> {
    if (performance.now() - this.notedAt > SIGN_OF_LIFE_MS) await this.noteSignOfLife();
    return this.require().deliver(chunk);
  }

  async heldLanes(): Promise<HeldLane[]> {
    const session = this.require();
    const lanes = await heldLanes((sql, values) => session.askForSignOfLife(sql, values), this.node!.code);
    await this.noteSignOfLife();
    if (lanes.some(({ held }) => held > 0)) await session.releaseHeld(this.node!.code);
    return lanes;
  }

  close(): Promise<void> {
    this.session?.close();
    this.session = undefined;
    return Promise.resolve();
  }

  /** A session at central, which knows of this node from then on. A stranger with its code is refused at once. */
  private async registered(node: NodeIdentity, signal: AbortSignal): Promise<CentralSession> {
    const session = await CentralSession.open(await this.opened(signal), this.refused, this.owner);
    try {
      await session.register(node);
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** A region that an administrator stops hears of it here. */
  private async noteSignOfLife(): Promise<void> {
    await this.require().noteSignOfLife(this.node!);
    this.notedAt = performance.now();
  }

  /** What takes long at home must not look to central as if this process had vanished. */
  private async keepingAlive<T>(session: CentralSession, work: Promise<T>): Promise<T> {
    const signs = setInterval(() => {
      session.ask('SELECT').catch((error: unknown) => {
        this.logger.debug(`Central went away meanwhile: ${String(error)}`);
      });
    }, SIGN_OF_LIFE_MS);
    try {
      return await work;
    } finally {
      clearInterval(signs);
    }
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
