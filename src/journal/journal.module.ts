import { Global, Module } from '@nestjs/common';
import { Acknowledgement } from './acknowledgement.js';
import { JournalCapture } from './journal-capture.js';
import { JournalSignal } from './journal-signal.js';
import { PatientSync } from './patient-sync.js';

@Global()
@Module({
  providers: [Acknowledgement, JournalCapture, JournalSignal, PatientSync],
  exports: [Acknowledgement, JournalSignal, PatientSync],
})
export class JournalModule {}
