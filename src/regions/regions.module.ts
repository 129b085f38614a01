import { Module } from '@nestjs/common';
import { RoutingModule } from '../routing/routing.module.js';
import { servedAtHome } from '../routing/served-at-home.js';
import { Region } from './region.entity.js';
import { RegionsController } from './regions.controller.js';
import { RegionsReader } from './regions.reader.js';
import { RegionsWriter } from './regions.writer.js';

/** Regions are read at home; whoever changes one does it at central. */
@Module({
  imports: [RoutingModule.forFeature({ entities: [Region], router: servedAtHome(Region) })],
  controllers: [RegionsController],
  providers: [RegionsReader, RegionsWriter],
})
export class RegionsModule {}
