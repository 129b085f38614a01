import { Module } from '@nestjs/common';
import { RoutingModule } from '../routing/routing.module.js';
import { servedAtHome } from '../routing/served-at-home.js';
import { Conflict } from './conflict.entity.js';
import { ConflictsController } from './conflicts.controller.js';
import { ConflictsReader } from './conflicts.reader.js';
import { ConflictDecisions } from './decisions/conflict-decisions.js';
import { Disputables } from './disputable.js';
import { OpenDisputes } from './open-disputes.js';

@Module({
  imports: [RoutingModule.forFeature({ entities: [Conflict], router: servedAtHome(Conflict) })],
  controllers: [ConflictsController],
  providers: [Disputables, OpenDisputes, ConflictsReader, ConflictDecisions],
  exports: [Disputables, OpenDisputes],
})
export class ConflictsModule {}
