import { Injectable } from '@nestjs/common';
import { DataRouter } from '../routing/data-router.js';

/** A patient of whom changes wait in quarantine, and how many. */
export interface HeldLane {
  readonly lane: string;
  readonly entries: number;
}

/** The lanes of what `origin` made that the database behind `ask` holds in quarantine. */
export function heldLanes(
  ask: (sql: string, values: unknown[]) => Promise<HeldLane[]>,
  origin: string,
): Promise<HeldLane[]> {
  return ask(
    `SELECT lane, count(*)::int AS entries FROM quarantine
     WHERE origin = $1 AND state IN ('refused', 'waiting') GROUP BY lane ORDER BY lane`,
    [origin],
  );
}

/** Which patients central holds in quarantine, as this node last heard; kept for while central is away. */
@Injectable()
export class QuarantinedLanes {
  private known: string | undefined;

  constructor(private readonly router: DataRouter) {}

  async replace(held: readonly HeldLane[]): Promise<void> {
    const state = JSON.stringify(held);
    if (state === this.known) return;
    await this.router.home.query(
      `WITH held AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS h(lane uuid, entries integer)),
       gone AS (DELETE FROM quarantined_lanes q WHERE NOT EXISTS (SELECT FROM held WHERE held.lane = q.lane))
       INSERT INTO quarantined_lanes SELECT lane, entries FROM held
       ON CONFLICT (lane) DO UPDATE SET entries = excluded.entries`,
      [state],
    );
    this.known = state;
  }
}
