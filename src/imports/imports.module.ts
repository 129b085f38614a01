import { Module } from '@nestjs/common';
import { ImportQueue } from './import-queue.js';
import { ImporterModule } from './importer.module.js';
import { ImportsController } from './imports.controller.js';
import { ImportsReader } from './imports.reader.js';
import { ImportsWriter } from './imports.writer.js';

@Module({
  imports: [ImporterModule],
  controllers: [ImportsController],
  providers: [ImportQueue, ImportsReader, ImportsWriter],
})
export class ImportsModule {}
