import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { DataRouter } from '../routing/data-router.js';

/** SQL: the states of an entry in which it holds back what comes after it in its lane. */
export const IN_QUARANTINE = `state IN ('refused', 'waiting', 'held')`;

/** A patient of whom changes wait in quarantine. */
export interface HeldLane {
  readonly lane: string;
  /** How many wait for a person. */
  readonly entries: number;
  /** Those of them that failed. The others wait behind these. */
  readonly refused: number;
  /** How many wait for an upgrade. */
  readonly held: number;
}

/** The lanes of what `origin` made that the database behind `ask` holds in quarantine. */
export function heldLanes(
  ask: (sql: string, values: unknown[]) => Promise<HeldLane[]>,
  origin: string,
): Promise<HeldLane[]> {
  return ask(
    `SELECT lane, (count(*) FILTER (WHERE state <> 'held'))::int AS entries,
            (count(*) FILTER (WHERE state = 'refused'))::int AS refused,
            (count(*) FILTER (WHERE state = 'held'))::int AS held
     FROM quarantine WHERE origin = $1 AND ${IN_QUARANTINE} GROUP BY lane ORDER BY lane`,
    [origin],
  );
}

/** How many more changes are refused, and wait for an upgrade, than were known. */
export interface LaneNews {
  readonly refused: number;
  readonly held: number;
}

const GIVEN = `SELECT * FROM jsonb_to_recordset($1::jsonb) AS h(lane uuid, entries integer, refused integer, held integer)`;

/** The statement's own view is of before: what it returns is {@link LaneNews}. */
const REPLACE = `
  WITH held AS (${GIVEN}),
  gone AS (DELETE FROM quarantined_lanes q WHERE NOT EXISTS (SELECT FROM held WHERE held.lane = q.lane)),
  written AS (
    INSERT INTO quarantined_lanes (lane, entries, refused, held) SELECT lane, entries, refused, held FROM held
    ON CONFLICT (lane) DO UPDATE SET entries = excluded.entries, refused = excluded.refused, held = excluded.held)
  SELECT coalesce(sum(greatest(held.refused - coalesce(known.refused, 0), 0)), 0)::int AS refused,
         coalesce(sum(greatest(held.held - coalesce(known.held, 0), 0)), 0)::int AS held
  FROM held LEFT JOIN quarantined_lanes known USING (lane)`;

/** Adds nothing and nobody: what is new is for {@link REPLACE} to find, and to tell. */
const REDUCE = `
  WITH held AS (${GIVEN}),
  gone AS (DELETE FROM quarantined_lanes q WHERE NOT EXISTS (SELECT FROM held WHERE held.lane = q.lane))
  UPDATE quarantined_lanes q SET entries = held.entries, refused = least(q.refused, held.refused), held = held.held
  FROM held WHERE held.lane = q.lane`;

/** Which patients central holds in quarantine, as this node last heard; kept for while central is away. */
@Injectable()
export class QuarantinedLanes {
  private known: string | undefined;

  constructor(private readonly router: DataRouter) {}

  /** `tell` hears, in the same transaction, of what was not known. */
  async replace(
    held: readonly HeldLane[],
    tell: (manager: EntityManager, news: LaneNews) => Promise<void>,
  ): Promise<void> {
    const state = JSON.stringify(held);
    if (state === this.known) return;
    await this.router.home.transaction(async (manager) => {
      const [news] = await manager.query<[LaneNews]>(REPLACE, [state]);
      await tell(manager, news);
    });
    this.known = state;
  }

  /** After a decision: what is not held any more is known at once. */
  async reduce(held: readonly HeldLane[]): Promise<void> {
    await this.router.home.query(REDUCE, [JSON.stringify(held)]);
    this.known = undefined;
  }
}
