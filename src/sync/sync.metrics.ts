import { Injectable } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { Metrics } from '../observability/metrics.js';
import type { SyncStatusDto } from './sync-status.dto.js';
import { SyncStatusReader } from './sync-status.reader.js';

type Figure = (status: SyncStatusDto) => number;

const FIGURES: readonly { name: string; help: string; figure: Figure }[] = [
  {
    name: 'medlink_uplink_pending_entries',
    help: 'Journal entries that central does not have yet.',
    figure: ({ uplink }) => uplink?.pending ?? 0,
  },
  {
    name: 'medlink_uplink_lag_seconds',
    help: 'Age of the oldest journal entry that central does not have yet, in seconds.',
    figure: ({ uplink }) => (uplink?.lagMs ?? 0) / 1000,
  },
  {
    name: 'medlink_uplink_drain_seconds',
    help: 'Seconds until central has all, at the rate of the last ten seconds; NaN when nothing moves.',
    figure: ({ uplink }) => (uplink ? (uplink.drainSeconds ?? Number.NaN) : 0),
  },
  {
    name: 'medlink_downlink_pending_entries',
    help: 'Journal entries that wait for this node at central; NaN while central is out of reach.',
    figure: ({ downlink }) => (downlink ? (downlink.pending ?? Number.NaN) : 0),
  },
  {
    name: 'medlink_uplink_up',
    help: '1 while central is reached, 0 while it is not.',
    figure: ({ link }) => (link?.state === 'up' ? 1 : 0),
  },
  {
    name: 'medlink_journal_made_outside_entries',
    help: 'Changes that were made outside the application, since the beginning.',
    figure: ({ madeOutside }) => madeOutside,
  },
  {
    name: 'medlink_journal_removed_entries',
    help: 'Journal entries that were removed for their age, since the beginning.',
    figure: ({ retention }) => retention.removed,
  },
];

/** The figures of `GET /sync/status` for the monitoring system, read once each time that it asks. */
@Injectable()
export class SyncMetrics {
  private reading: Promise<SyncStatusDto> | undefined;

  constructor(
    { registry }: Metrics,
    private readonly status: SyncStatusReader,
  ) {
    const read = () => this.readOnce();
    for (const { name, help, figure } of FIGURES) {
      new Gauge({
        name,
        help,
        registers: [registry],
        async collect() {
          this.set(figure(await read()));
        },
      });
    }
  }

  /** All gauges of one scrape ask at the same time, and share one reading. */
  private readOnce(): Promise<SyncStatusDto> {
    this.reading ??= this.status.read().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }
}
