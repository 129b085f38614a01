import { Module } from '@nestjs/common';
import { JournalRetention } from './retention.js';

/** For processes that serve: a command does not stay long enough. */
@Module({ providers: [JournalRetention] })
export class RetentionModule {}
