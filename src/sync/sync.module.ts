import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { PatientsModule } from '../patients/patients.module.js';
import { EventsController } from './events.controller.js';
import { JournalController } from './journal.controller.js';
import { NodeJournal } from './journal.reader.js';
import { PatientSyncController } from './patient-sync.controller.js';
import { PatientSyncReader } from './patient-sync.reader.js';
import { StatusEvents } from './status-events.js';
import { SyncController } from './sync.controller.js';
import { SyncMetrics } from './sync.metrics.js';
import { SyncStatusReader } from './sync-status.reader.js';

@Module({
  imports: [AccountsModule, PatientsModule],
  controllers: [SyncController, EventsController, JournalController, PatientSyncController],
  providers: [SyncStatusReader, StatusEvents, NodeJournal, PatientSyncReader, SyncMetrics],
})
export class SyncModule {}
