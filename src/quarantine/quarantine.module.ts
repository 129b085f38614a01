import { Module } from '@nestjs/common';
import { QuarantineController } from './quarantine.controller.js';
import { QuarantineDecisions } from './quarantine.decisions.js';
import { QuarantineReader } from './quarantine.reader.js';
import { ReleaseAtStart } from './release-at-start.js';

@Module({
  controllers: [QuarantineController],
  providers: [QuarantineReader, QuarantineDecisions, ReleaseAtStart],
})
export class QuarantineModule {}
