import { Module } from '@nestjs/common';
import { RoutingModule } from '../routing/routing.module.js';
import { servedAtHome } from '../routing/served-at-home.js';
import { Host } from './host.entity.js';

@Module({ imports: [RoutingModule.forFeature({ entities: [Host], router: servedAtHome(Host) })] })
export class HostsModule {}
