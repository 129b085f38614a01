import { Inject, Injectable, Optional } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Acknowledgement } from '../journal/acknowledgement.js';
import { readRetention } from '../journal/retention-record.js';
import { failureOf } from '../observability/failures/failure-codes.js';
import type { LinkError } from '../relay/uplink-state.js';
import { RelayView } from '../relay/relay-view.js';
import type { Uplink } from '../relay/uplink.js';
import { DataRouter } from '../routing/data-router.js';
import type { DirectionDto, LinkDto, LinkErrorDto, SyncStatusDto } from './sync-status.dto.js';

/** This node's own entries behind a position: how many, and since when. */
const PENDING = `
  SELECT count(*)::int AS pending, min(j.at) AS oldest
  FROM journal j JOIN node ON node.code = j.origin
  WHERE j.seq > $1`;

/** On a region, what it last heard from central; on central, what it holds itself. */
const COUNTS = `
  SELECT (SELECT count(*)::int FROM journal WHERE captured_by = 'database') AS outside,
         (SELECT coalesce(sum(entries), 0)::int FROM quarantined_lanes)
         + (SELECT count(*)::int FROM quarantine WHERE state IN ('refused', 'waiting')) AS quarantined,
         (SELECT coalesce(sum(held), 0)::int FROM quarantined_lanes)
         + (SELECT count(*)::int FROM quarantine WHERE state = 'held')
         + (SELECT count(*)::int FROM stale_lanes WHERE code = 'SCHEMA_AHEAD') AS ahead,
         (SELECT count(*)::int FROM conflicts WHERE state = 'open') AS conflicts`;

interface Counts {
  readonly outside: number;
  readonly quarantined: number;
  readonly ahead: number;
  readonly conflicts: number;
}

/** Answers what an administrator asks first: does everything arrive? Never asks central, so it never waits for it. */
@Injectable()
export class SyncStatusReader {
  constructor(
    private readonly config: Config,
    private readonly router: DataRouter,
    private readonly acknowledgement: Acknowledgement,
    @Optional() @Inject(RelayView) private readonly relay: RelayView | undefined,
  ) {}

  async read(): Promise<SyncStatusDto> {
    const isCentral = this.config.mode === 'central';
    const counts = await this.router.home.query<Counts[]>(COUNTS);
    const { outside, quarantined, ahead, conflicts } = counts[0]!;
    const { journalMonths } = this.config;
    const { removedOutside, ...retention } = await readRetention(
      (sql, values) => this.router.home.query(sql, values),
      journalMonths,
    );
    return {
      node: this.config.mode,
      region: isCentral ? null : this.config.region,
      link: this.link(),
      uplink: this.relay ? await this.uplink(this.relay.uplink) : null,
      downlink: this.relay ? downlink(this.relay) : null,
      quarantined,
      heldForUpgrade: ahead,
      openConflicts: conflicts,
      madeOutside: outside + removedOutside,
      retention: { months: journalMonths ?? null, ...retention },
    };
  }

  private link(): LinkDto | null {
    if (!this.relay) return null;
    const { status, since, lastError } = this.relay.uplink.state;
    const pause = this.relay.peer.paused;
    return {
      state: pause ? 'paused' : status,
      since: pause?.at ?? since,
      lastError: lastError ? explained(lastError) : null,
      pausedBy: pause?.by ?? null,
    };
  }

  private async uplink({ state }: Uplink): Promise<DirectionDto> {
    const { seq, at } = this.acknowledgement.current;
    const rows = await this.router.home.query<{ pending: number; oldest: Date | null }[]>(PENDING, [seq]);
    const { pending, oldest } = rows[0]!;
    const { rate } = state;
    return {
      pending,
      oldestPendingAt: oldest,
      lastAppliedAt: at,
      lagMs: lagMs(oldest),
      rate: rounded(rate),
      drainSeconds: drainSeconds(pending, rate),
    };
  }
}

function downlink({ downlink: { state } }: RelayView): DirectionDto {
  const { pending, oldestPendingAt, lastAppliedAt, rate } = state.figures;
  return {
    pending,
    oldestPendingAt,
    lastAppliedAt,
    lagMs: pending === null ? null : lagMs(oldestPendingAt),
    rate: rounded(rate),
    drainSeconds: pending === null ? null : drainSeconds(pending, rate),
  };
}

function lagMs(oldest: Date | null): number {
  return oldest ? Math.max(0, Date.now() - oldest.getTime()) : 0;
}

function rounded(rate: number): number {
  return Math.round(rate * 10) / 10;
}

/** Unknown is not zero: with something pending and nothing moving there is no forecast. */
export function drainSeconds(pending: number, rate: number): number | null {
  if (pending === 0) return 0;
  return rate > 0 ? Math.ceil(pending / rate) : null;
}

function explained(error: LinkError): LinkErrorDto {
  const failure = failureOf(error.code);
  return { ...error, meaning: failure?.meaning ?? null, remedy: failure?.remedy ?? null };
}
