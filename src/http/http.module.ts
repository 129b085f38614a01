import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { ObservabilityModule } from '../observability/observability.module.js';
import { DatabaseHealth } from './database-health.js';
import { HealthController } from './health.controller.js';
import { IdempotencyRetention } from './idempotency-retention.js';
import { MetricsController } from './metrics.controller.js';
import { StorageRoom } from './storage-room.js';

/** What the edge serves itself. `configureHttp` sets up the rest. */
@Module({
  imports: [ObservabilityModule, TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController, MetricsController],
  providers: [DatabaseHealth, IdempotencyRetention, StorageRoom],
})
export class HttpModule {}
