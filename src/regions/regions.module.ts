import { Module } from '@nestjs/common';
import { RoutingModule } from '../routing/routing.module.js';
import { servedAtHome } from '../routing/served-at-home.js';
import { Region } from './region.entity.js';

/** Regions are read at home; whoever changes one does it at central. */
@Module({ imports: [RoutingModule.forFeature({ entities: [Region], router: servedAtHome(Region) })] })
export class RegionsModule {}
