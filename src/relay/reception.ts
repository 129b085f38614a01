import type { ClientBase } from 'pg';
import { raiseAlert } from '../alerts/raise-alert.js';
import { applyDelivery } from '../apply/apply-delivery.js';
import type { Delivery } from '../journal/delivery.js';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import { type DownCursor, DeliveryReader } from './delivery-reader.js';
import type { DownlinkState } from './downlink-state.js';
import { WakeLatch } from './wake-latch.js';

/** Entries of a delivery, about. A change set that is larger comes whole. */
const DELIVERY_ENTRIES = 500;
/** How often central is asked whether it has something. Milliseconds. */
const POLL_MS = 200;
/** How often it is asked how much, and told how far this node is. Milliseconds. */
const REPORT_MS = 2_000;

export interface ReceptionParts {
  /** The region's code. */
  readonly region: string;
  readonly tables: ReadonlyMap<string, ReplicatedTable>;
  readonly state: DownlinkState;
  /** Whether to go on. */
  readonly mayGoOn: () => boolean;
  /** Called after each delivery that was applied. */
  readonly progressed: () => void;
}

/** One connection's life in the other direction: asks central for what concerns this node, and applies it. */
export class Reception {
  private reportedAt = -Infinity;

  constructor(
    private readonly home: ClientBase,
    private readonly central: ClientBase,
    private readonly parts: ReceptionParts,
    private readonly stop: AbortSignal,
  ) {}

  async run(): Promise<void> {
    const { region, tables, mayGoOn } = this.parts;
    let cursor = await this.cursor();
    const reader = new DeliveryReader(this.central, tables, region, cursor);
    while (!this.stop.aborted && mayGoOn()) {
      const delivery = await reader.next(DELIVERY_ENTRIES);
      if (delivery) {
        await this.receive(delivery);
        cursor = { incarnation: delivery.incarnation, seq: delivery.through };
      }
      if (performance.now() - this.reportedAt > REPORT_MS) await this.report(cursor);
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
    const { tables, region, state, progressed } = this.parts;
    await this.home.query('BEGIN');
    await applyDelivery(this.home, tables, delivery);
    const count = openedConflicts(delivery);
    if (count > 0) {
      const query = (sql: string, values: unknown[]) => this.home.query(sql, values);
      await raiseAlert(query, { code: 'CONFLICT_OPENED', subject: region, count });
    }
    await this.home.query('COMMIT');
    state.apply(delivery.entries.length);
    progressed();
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
      `INSERT INTO replication_peers AS known (peer, acknowledged_seq, acknowledged_at)
       VALUES ($1, $2, clock_timestamp())
       ON CONFLICT (peer) DO UPDATE SET acknowledged_seq = excluded.acknowledged_seq,
         acknowledged_at = excluded.acknowledged_at
       WHERE known.acknowledged_seq <> excluded.acknowledged_seq`,
      [region, seq],
    );
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
