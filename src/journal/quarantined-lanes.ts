import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { DataRouter } from '../routing/data-router.js';

/** A patient of whom changes wait in quarantine, and how many. */
export interface HeldLane {
  readonly lane: string;
  readonly entries: number;
  /** Those of them that failed. The others wait behind these. */
  readonly refused: number;
}

/** The lanes of what `origin` made that the database behind `ask` holds in quarantine. */
export function heldLanes(
  ask: (sql: string, values: unknown[]) => Promise<HeldLane[]>,
  origin: string,
): Promise<HeldLane[]> {
  return ask(
    `SELECT lane, count(*)::int AS entries, (count(*) FILTER (WHERE state = 'refused'))::int AS refused FROM quarantine
     WHERE origin = $1 AND state IN ('refused', 'waiting') GROUP BY lane ORDER BY lane`,
    [origin],
  );
}

/** The statement's own view is of before: what it returns is how many more are refused than were known. */
const REPLACE = `
  WITH held AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS h(lane uuid, entries integer, refused integer)),
  gone AS (DELETE FROM quarantined_lanes q WHERE NOT EXISTS (SELECT FROM held WHERE held.lane = q.lane)),
  written AS (
    INSERT INTO quarantined_lanes (lane, entries, refused) SELECT lane, entries, refused FROM held
    ON CONFLICT (lane) DO UPDATE SET entries = excluded.entries, refused = excluded.refused)
  SELECT coalesce(sum(greatest(held.refused - coalesce(known.refused, 0), 0)), 0)::int AS more
  FROM held LEFT JOIN quarantined_lanes known USING (lane)`;

/** Adds nothing and nobody: what is new is for {@link REPLACE} to find, and to tell. */
const REDUCE = `
  WITH held AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS h(lane uuid, entries integer, refused integer)),
  gone AS (DELETE FROM quarantined_lanes q WHERE NOT EXISTS (SELECT FROM held WHERE held.lane = q.lane))
  UPDATE quarantined_lanes q SET entries = held.entries, refused = least(q.refused, held.refused)
  FROM held WHERE held.lane = q.lane`;

/** Which patients central holds in quarantine, as this node last heard; kept for while central is away. */
@Injectable()
export class QuarantinedLanes {
  private known: string | undefined;

  constructor(private readonly router: DataRouter) {}

  /** `tell` hears, in the same transaction, of how many changes were refused that were not known to be. */
  async replace(
    held: readonly HeldLane[],
    tell: (manager: EntityManager, refused: number) => Promise<void>,
  ): Promise<void> {
    const state = JSON.stringify(held);
    if (state === this.known) return;
    await this.router.home.transaction(async (manager) => {
      const [row] = await manager.query<[{ more: number }]>(REPLACE, [state]);
      if (row.more > 0) await tell(manager, row.more);
    });
    this.known = state;
  }
  /** After a decision: what is not held any more is known at once. */
  async reduce(held: readonly HeldLane[]): Promise<void> {
    await this.router.home.query(REDUCE, [JSON.stringify(held)]);
    this.known = undefined;
  }
}
