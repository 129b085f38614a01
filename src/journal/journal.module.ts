import { Global, Module } from '@nestjs/common';
import { Acknowledgement } from './acknowledgement.js';
import { JournalCapture } from './journal-capture.js';
import { JournalSignal } from './journal-signal.js';
import { PatientSync } from './patient-sync.js';
import { QuarantinedLanes } from './quarantined-lanes.js';

@Global()
@Module({
  providers: [Acknowledgement, JournalCapture, JournalSignal, PatientSync, QuarantinedLanes],
  exports: [Acknowledgement, JournalSignal, PatientSync, QuarantinedLanes],
})
export class JournalModule {}
