import { Module } from '@nestjs/common';
import { PatientSyncReader } from './patient-sync.reader.js';
import { SyncController } from './sync.controller.js';
import { SyncMetrics } from './sync.metrics.js';
import { SyncStatusReader } from './sync-status.reader.js';

@Module({
  controllers: [SyncController],
  providers: [SyncStatusReader, PatientSyncReader, SyncMetrics],
})
export class SyncModule {}
