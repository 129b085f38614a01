import { Module } from '@nestjs/common';
import { RoutingModule } from '../routing/routing.module.js';
import { servedAtHome } from '../routing/served-at-home.js';
import { Conflict } from './conflict.entity.js';
import { ConflictsController } from './conflicts.controller.js';
import { ConflictsReader } from './conflicts.reader.js';
import { ConflictDecisions } from './decisions/conflict-decisions.js';
import { Disputables } from './disputable.js';
import { Notifications } from './notifications/notifications.js';
import { NotificationsController } from './notifications/notifications.controller.js';
import { OpenDisputes } from './open-disputes.js';
import { PoliciesController } from './policies/policies.controller.js';
import { PolicyPreview } from './policies/policy-preview.js';

@Module({
  imports: [RoutingModule.forFeature({ entities: [Conflict], router: servedAtHome(Conflict) })],
  controllers: [ConflictsController, PoliciesController, NotificationsController],
  providers: [Disputables, OpenDisputes, ConflictsReader, ConflictDecisions, Notifications, PolicyPreview],
  exports: [Disputables, OpenDisputes],
})
export class ConflictsModule {}
