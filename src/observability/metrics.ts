import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/**
 * The process's metrics. Other modules add theirs with `new Gauge({ …, registers: [metrics.registry] })`.
 * A label never holds an id or a value: its possible texts are few and known.
 */
@Injectable()
export class Metrics implements OnApplicationShutdown {
  readonly registry = new Registry();

  /** Seconds, by route template (`/api/v1/patients/:id`), method and status. */
  readonly requests = new Histogram({
    name: 'medlink_http_request_duration_seconds',
    help: 'How long HTTP requests took, in seconds.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  onApplicationShutdown(): void {
    this.registry.clear();
  }
}
