import { Global, Module } from '@nestjs/common';
import { JournalCapture } from './journal-capture.js';
import { JournalSignal } from './journal-signal.js';
import { PatientSync } from './patient-sync.js';

@Global()
@Module({
  providers: [JournalCapture, JournalSignal, PatientSync],
  exports: [JournalSignal, PatientSync],
})
export class JournalModule {}
