import { Global, Module } from '@nestjs/common';
import { Acknowledgement } from './acknowledgement.js';
import { JournalCapture } from './journal-capture.js';
import { JournalSignal } from './journal-signal.js';
import { PatientSync } from './patient-sync.js';
import { QuarantinedLanes } from './quarantined-lanes.js';
import { RecoverySteps } from './recovery-steps.js';

@Global()
@Module({
  providers: [Acknowledgement, JournalCapture, JournalSignal, PatientSync, QuarantinedLanes, RecoverySteps],
  exports: [Acknowledgement, JournalSignal, PatientSync, QuarantinedLanes, RecoverySteps],
})
export class JournalModule {}
