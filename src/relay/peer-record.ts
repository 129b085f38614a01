import { Injectable } from '@nestjs/common';
import type { ClientBase } from 'pg';
import { Acknowledgement } from '../journal/acknowledgement.js';
import { DataRouter } from '../routing/data-router.js';

const PEER = 'central';
/** How often what this process knows is written, and what others have written is read. Milliseconds. */
const REFRESH_EVERY_MS = 1_000;

const READ =
  'SELECT acknowledged_seq, acknowledged_at, paused_at, paused_by FROM replication_peers WHERE peer = $1';
const SAVE = 'UPDATE replication_peers SET acknowledged_seq = $2, acknowledged_at = $3 WHERE peer = $1';

interface PeerRow {
  acknowledged_seq: string;
  acknowledged_at: Date | null;
  paused_at: Date | null;
  paused_by: string | null;
}

/** What this node remembers of central while it is away: its last acknowledgement, and a wish to pause. */
@Injectable()
export class PeerRecord {
  private pause: { at: Date; by: string } | undefined;
  private savedSeq = 0;
  private refreshedAt = 0;

  constructor(
    private readonly router: DataRouter,
    private readonly acknowledgement: Acknowledgement,
  ) {}

  get paused(): { at: Date; by: string } | undefined {
    return this.pause;
  }

  async load(): Promise<void> {
    const { home } = this.router;
    const row = await this.hear((sql, values) => home.query(sql, values));
    if (!row)
      await home.query('INSERT INTO replication_peers (peer) VALUES ($1) ON CONFLICT DO NOTHING', [PEER]);
    if (!this.acknowledgement.current.at) this.takeOver(row);
  }

  /** Survives a restart: what an administrator has paused stays paused. */
  async setPaused(by: string | null): Promise<void> {
    await this.router.home.query(
      `UPDATE replication_peers SET paused_by = $2,
         paused_at = CASE WHEN $2::text IS NULL THEN NULL ELSE coalesce(paused_at, clock_timestamp()) END
       WHERE peer = $1`,
      [PEER, by],
    );
    await this.load();
  }

  /** Central has applied this journal through `seq`. */
  acknowledge(seq: number): void {
    this.acknowledgement.set({ seq, at: new Date() });
  }

  /**
   * Writes the acknowledged position when it is new, and hears whether another process has paused the exchange or
   * ended the pause. Once a second at most.
   */
  async refresh(session: ClientBase): Promise<void> {
    if (!this.isTimeToRefresh()) return;
    await this.save(session);
    await this.hear(askOn(session));
  }

  /** In the place of {@link refresh} while another process sends: takes over what that one has written. */
  async follow(session: ClientBase): Promise<void> {
    if (this.isTimeToRefresh()) this.takeOver(await this.hear(askOn(session)));
  }

  async save(session: Session = this.router.home): Promise<void> {
    const { seq, at } = this.acknowledgement.current;
    if (seq === this.savedSeq) return;
    await session.query(SAVE, [PEER, seq, at]);
    this.savedSeq = seq;
  }

  /** `undefined` before this node's first start. */
  private async hear(ask: Ask): Promise<PeerRow | undefined> {
    const [row] = await ask(READ, [PEER]);
    this.pause = row?.paused_at ? { at: row.paused_at, by: row.paused_by ?? '' } : undefined;
    return row;
  }

  private takeOver(row: PeerRow | undefined): void {
    if (!row) return;
    this.savedSeq = Number(row.acknowledged_seq);
    this.acknowledgement.set({ seq: this.savedSeq, at: row.acknowledged_at });
  }

  /** By the monotonic clock: the wall clock may step. */
  private isTimeToRefresh(): boolean {
    const now = performance.now();
    if (now - this.refreshedAt < REFRESH_EVERY_MS) return false;
    this.refreshedAt = now;
    return true;
  }
}

interface Session {
  query(sql: string, values: unknown[]): Promise<unknown>;
}
type Ask = (sql: string, values: unknown[]) => Promise<PeerRow[]>;

function askOn(session: ClientBase): Ask {
  return async (sql, values) => (await session.query<PeerRow>(sql, values)).rows;
}
