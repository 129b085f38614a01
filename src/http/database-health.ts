import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { CentralAvailability } from '../routing/central-availability.js';
import { CENTRAL } from '../routing/connection-names.js';
import { DATA_SOURCES, DataRouter, type DataSources } from '../routing/data-router.js';
import { StorageRoom } from './storage-room.js';

const PATIENCE_MS = 2_000;

export interface CentralHealth {
  readonly status: 'up' | 'down';
  readonly reachable: boolean;
}

/** Why the node's own database takes no changes: it can be read all the same. */
type Unwritable = 'read-only' | 'storage-full';

/** Whether the databases answer. */
@Injectable()
export class DatabaseHealth {
  constructor(
    private readonly router: DataRouter,
    private readonly availability: CentralAvailability,
    @Inject(DATA_SOURCES) private readonly sources: DataSources,
    private readonly indicators: HealthIndicatorService,
    private readonly room: StorageRoom,
  ) {}

  /** The node's own: without it the node cannot serve. Whether it takes changes is told, and does not decide. */
  async home(): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check('database');
    const answer = await inTime(this.unwritable());
    if (answer === 'late') return indicator.down();
    return indicator.up({ writable: answer === undefined, ...(answer && { reason: answer }) });
  }

  /** Central, which the node works without. */
  async central(): Promise<CentralHealth> {
    const source = this.sources[CENTRAL];
    const reachable =
      this.availability.isOpen && source !== undefined && (await inTime(source.query('SELECT 1'))) !== 'late';
    return { status: reachable ? 'up' : 'down', reachable };
  }

  private async unwritable(): Promise<Unwritable | undefined> {
    const { home } = this.router;
    const [row] = await home.query<[{ readOnly: boolean }]>(
      `SELECT current_setting('transaction_read_only')::boolean AS "readOnly"`,
    );
    if (row.readOnly) return 'read-only';
    return (await this.room.isFull(home)) ? 'storage-full' : undefined;
  }
}

/** A failure is an answer that does not come. */
async function inTime<T>(answer: Promise<T>): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), PATIENCE_MS);
  });
  return Promise.race([answer.catch(() => 'late' as const), late]).finally(() => clearTimeout(timer));
}
