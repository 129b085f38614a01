import { Module } from '@nestjs/common';
import { PatientsModule } from '../patients/patients.module.js';
import { PatientSyncController } from './patient-sync.controller.js';
import { PatientSyncReader } from './patient-sync.reader.js';
import { SyncController } from './sync.controller.js';
import { SyncMetrics } from './sync.metrics.js';
import { SyncStatusReader } from './sync-status.reader.js';

@Module({
  imports: [PatientsModule],
  controllers: [SyncController, PatientSyncController],
  providers: [SyncStatusReader, PatientSyncReader, SyncMetrics],
})
export class SyncModule {}
