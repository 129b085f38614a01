import type { ClientBase } from 'pg';
import { raiseAlert } from '../alerts/raise-alert.js';
import { applyDelivery } from '../apply/apply-delivery.js';
import { failureKind } from '../apply/failure.js';
import { watchIdentities } from '../apply/identity-watch.js';
import type { ReceivingTable } from '../apply/receiving-tables.js';
import { applyInSets, EVERYONE, refreshLane, staleLanes } from '../apply/stale-lanes.js';
import type { Delivery } from '../journal/delivery.js';
import { type DownCursor, DeliveryReader } from './delivery-reader.js';
import { noteClockOffset } from './clock-offset.js';
import { Fence } from './fence.js';
import type { DownlinkState } from './downlink-state.js';
import { refuseRemovedAtCentral } from './removed-months.js';
import { WakeLatch } from './wake-latch.js';

/** Entries of a delivery, about. A change set that is larger comes whole. */
const DELIVERY_ENTRIES = 500;
/** How often central is asked whether it has something. Milliseconds. */
const POLL_MS = 200;
/** How often it is asked how much, and told how far this node is. Milliseconds. */
const REPORT_MS = 1_000;
/** How often the file of a patient that this database did not take is fetched anew. Milliseconds. */
const REFRESH_MS = 30_000;

export interface ReceptionParts {
  /** The region's code. */
  readonly region: string;
  readonly tables: ReadonlyMap<string, ReceivingTable>;
  readonly state: DownlinkState;
  /** Whether to go on. */
  readonly mayGoOn: () => boolean;
  /** Called after each delivery that was applied. */
  readonly progressed: () => void;
}

/** One connection's life in the other direction: asks central for what concerns this node, and applies it. */
export class Reception {
  private reportedAt = -Infinity;
  private refreshedAt = -Infinity;
  private stale: ReadonlySet<string> = new Set();
  private readonly fence: Fence;

  constructor(
    private readonly home: ClientBase,
    private readonly central: ClientBase,
    private readonly parts: ReceptionParts,
    private readonly stop: AbortSignal,
  ) {
    this.fence = new Fence(central);
  }

  async run(): Promise<void> {
    const { region, tables, mayGoOn } = this.parts;
    let cursor = await this.cursor();
    await refuseRemovedAtCentral(this.home, this.central, { region, seq: cursor.seq });
    const reader = new DeliveryReader(this.central, tables, region, cursor);
    this.stale = await staleLanes(this.home);
    while (!this.stop.aborted && mayGoOn()) {
      const delivery = await reader.next(DELIVERY_ENTRIES);
      if (delivery) {
        await this.receive(delivery);
        cursor = { incarnation: delivery.incarnation, seq: delivery.through };
      }
      if (performance.now() - this.reportedAt > REPORT_MS) {
        await this.report(cursor);
        await noteClockOffset(this.home, this.central, region);
        await this.watchIdentities();
      }
      if (this.stale.size > 0 && performance.now() - this.refreshedAt > REFRESH_MS)
        await this.refresh(reader);
      if (!delivery) await new WakeLatch().wait(POLL_MS, this.stop);
    }
  }

  /** Where this node stands in central's journal; at its beginning when it has never been asked. */
  private async cursor(): Promise<DownCursor> {
    const central = await this.central.query<{ incarnation: number }>('SELECT incarnation FROM node');
    await this.home.query(
      `INSERT INTO replication_cursors (origin, incarnation, seq, applied_at)
       VALUES ('central', $1, 0, clock_timestamp()) ON CONFLICT DO NOTHING`,
      [central.rows[0]!.incarnation],
    );
    const { rows } = await this.home.query<{ incarnation: number; seq: string }>(
      `SELECT incarnation, seq FROM replication_cursors WHERE origin = 'central'`,
    );
    return { incarnation: rows[0]!.incarnation, seq: Number(rows[0]!.seq) };
  }

  private async receive(delivery: Delivery): Promise<void> {
    if (this.stale.size > 0 || !(await this.receiveWhole(delivery))) await this.receiveInSets(delivery);
    this.parts.state.apply(delivery.entries.length);
    this.parts.progressed();
  }

  /** False when this database refuses something of it; then nothing was done. */
  private async receiveWhole(delivery: Delivery): Promise<boolean> {
    await this.home.query('BEGIN');
    try {
      await applyDelivery(this.home, this.parts.tables, delivery);
    } catch (error) {
      if (failureKind(error) === 'transient') throw error;
      await this.home.query('ROLLBACK');
      return false;
    }
    await this.tell('CONFLICT_OPENED', openedConflicts(delivery));
    await this.home.query('COMMIT');
    return true;
  }

  private async receiveInSets(delivery: Delivery): Promise<void> {
    await this.home.query('BEGIN');
    await this.tell('DELIVERY_REFUSED', await applyInSets(this.home, this.parts.tables, delivery));
    await this.tell('CONFLICT_OPENED', openedConflicts(delivery));
    await this.home.query('COMMIT');
    this.stale = await staleLanes(this.home);
  }

  private async refresh(reader: DeliveryReader): Promise<void> {
    for (const lane of this.stale) {
      const fresh = await reader.fetch(lane === EVERYONE ? null : lane);
      await this.home.query('BEGIN');
      await refreshLane(this.home, this.parts.tables, fresh);
      await this.home.query('COMMIT');
    }
    this.stale = await staleLanes(this.home);
    this.refreshedAt = performance.now();
  }

  private async tell(code: 'CONFLICT_OPENED' | 'DELIVERY_REFUSED', count: number): Promise<void> {
    if (count === 0) return;
    const query = (sql: string, values: unknown[]) => this.home.query(sql, values);
    await raiseAlert(query, { code, subject: this.parts.region, count });
  }

  /** Some region's process has to look over what all regions have written: whichever comes first does. */
  private async watchIdentities(): Promise<void> {
    const { region: subject, tables } = this.parts;
    const { opened: count } = await watchIdentities(this.central, tables, await this.fence.look());
    const query = (sql: string, values: unknown[]) => this.central.query(sql, values);
    if (count > 0) await raiseAlert(query, { code: 'CONFLICT_OPENED', subject, count });
  }

  private async report({ seq }: DownCursor): Promise<void> {
    const { region, state } = this.parts;
    this.reportedAt = performance.now();
    const { rows } = await this.central.query<{ pending: number; oldest: Date | null }>(
      `SELECT count(*)::int AS pending,
              (SELECT j.at FROM journal j WHERE j.seq = min(d.seq)) AS oldest
       FROM deliveries d WHERE d.region = $1 AND d.seq > $2`,
      [region, seq],
    );
    state.know(rows[0]!.pending, rows[0]!.oldest);
    await this.central.query(
      `INSERT INTO replication_peers AS known (peer, acknowledged_seq, acknowledged_at, needed_after)
       VALUES ($1, $2, clock_timestamp(), $3)
       ON CONFLICT (peer) DO UPDATE SET acknowledged_seq = excluded.acknowledged_seq,
         acknowledged_at = excluded.acknowledged_at, needed_after = excluded.needed_after
       WHERE (known.acknowledged_seq, known.needed_after)
             IS DISTINCT FROM (excluded.acknowledged_seq, excluded.needed_after)`,
      [region, seq, await this.neededAfter(seq)],
    );
  }

  /** What central merges this node's waiting changes with: its entries behind what their makers knew. */
  private async neededAfter(seq: number): Promise<string> {
    const { rows } = await this.home.query<{ after: string }>(
      `SELECT least($1::bigint, min(j.knows)) AS after FROM (
         SELECT j.knows FROM journal j JOIN node ON node.code = j.origin
         WHERE j.seq > (SELECT acknowledged_seq FROM replication_peers WHERE peer = 'central')
         ORDER BY j.seq LIMIT 1000) j`,
      [seq],
    );
    return rows[0]!.after;
  }
}

function openedConflicts({ entries }: Delivery): number {
  const opened = entries.filter(
    ({ entity, op, after }) =>
      entity === 'conflicts' &&
      op === 'insert' &&
      (JSON.parse(after ?? '{}') as { state?: string }).state === 'open',
  );
  return opened.length;
}
