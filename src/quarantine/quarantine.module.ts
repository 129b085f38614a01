import { Module } from '@nestjs/common';
import { QuarantineController } from './quarantine.controller.js';
import { QuarantineDecisions } from './quarantine.decisions.js';
import { QuarantineReader } from './quarantine.reader.js';

@Module({ controllers: [QuarantineController], providers: [QuarantineReader, QuarantineDecisions] })
export class QuarantineModule {}
