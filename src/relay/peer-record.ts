import { Injectable } from '@nestjs/common';
import { Acknowledgement } from '../journal/acknowledgement.js';
import { DataRouter } from '../routing/data-router.js';

const PEER = 'central';
/** Shortest time between two writes of the acknowledged position, in milliseconds. */
const SAVE_EVERY_MS = 1_000;

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
  private saved = { seq: 0, at: 0 };

  constructor(
    private readonly router: DataRouter,
    private readonly acknowledgement: Acknowledgement,
  ) {}

  get paused(): { at: Date; by: string } | undefined {
    return this.pause;
  }

  async load(): Promise<void> {
    const rows = await this.router.home.query<PeerRow[]>(
      `INSERT INTO replication_peers (peer) VALUES ($1) ON CONFLICT (peer) DO UPDATE SET peer = excluded.peer
       RETURNING acknowledged_seq, acknowledged_at, paused_at, paused_by`,
      [PEER],
    );
    const row = rows[0]!;
    this.pause = row.paused_at ? { at: row.paused_at, by: row.paused_by ?? '' } : undefined;
    if (this.acknowledgement.current.at) return;
    this.acknowledgement.set({ seq: Number(row.acknowledged_seq), at: row.acknowledged_at });
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

  /** Nothing that central has is known to be this journal: everything looks pending. */
  forget(): void {
    this.acknowledgement.set({ seq: 0, at: null });
  }

  /** Writes the acknowledged position when it is new and the last write is a while ago. */
  async saveNowAndThen(): Promise<void> {
    if (performance.now() - this.saved.at >= SAVE_EVERY_MS) await this.save();
  }

  async save(): Promise<void> {
    const position = this.acknowledgement.current;
    if (position.seq === this.saved.seq) return;
    await this.router.home.query(
      `UPDATE replication_peers SET acknowledged_seq = $2, acknowledged_at = $3 WHERE peer = $1`,
      [PEER, position.seq, position.at],
    );
    this.saved = { seq: position.seq, at: performance.now() };
  }
}
