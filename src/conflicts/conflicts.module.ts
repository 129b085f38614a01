import { Module } from '@nestjs/common';
import { RoutingModule } from '../routing/routing.module.js';
import { servedAtHome } from '../routing/served-at-home.js';
import { Conflict } from './conflict.entity.js';

@Module({ imports: [RoutingModule.forFeature({ entities: [Conflict], router: servedAtHome(Conflict) })] })
export class ConflictsModule {}
