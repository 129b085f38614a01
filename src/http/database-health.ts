import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import type { DataSource } from 'typeorm';
import { CentralAvailability } from '../routing/central-availability.js';
import { CENTRAL } from '../routing/connection-names.js';
import { DATA_SOURCES, DataRouter, type DataSources } from '../routing/data-router.js';

const PATIENCE_MS = 2_000;

export interface CentralHealth {
  readonly status: 'up' | 'down';
  readonly reachable: boolean;
}

/** Whether the databases answer. */
@Injectable()
export class DatabaseHealth {
  constructor(
    private readonly router: DataRouter,
    private readonly availability: CentralAvailability,
    @Inject(DATA_SOURCES) private readonly sources: DataSources,
    private readonly indicators: HealthIndicatorService,
  ) {}

  /** The node's own: without it the node cannot serve. */
  async home(): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check('database');
    return (await answersInTime(this.router.home)) ? indicator.up() : indicator.down();
  }

  /** Central, which the node works without. */
  async central(): Promise<CentralHealth> {
    const source = this.sources[CENTRAL];
    const reachable = this.availability.isOpen && source !== undefined && (await answersInTime(source));
    return { status: reachable ? 'up' : 'down', reachable };
  }
}

async function answersInTime(source: DataSource): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PATIENCE_MS);
  });
  const answer = source.query('SELECT 1').then(
    () => true,
    () => false,
  );
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
