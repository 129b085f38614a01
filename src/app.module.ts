import { type DynamicModule, Module } from '@nestjs/common';
import { AccountsModule } from './accounts/accounts.module.js';
import type { Config } from './config/config.js';
import { type DatabaseUrls, DatabasesModule } from './databases/databases.module.js';
import { HttpModule } from './http/http.module.js';
import { JournalModule } from './journal/journal.module.js';
import { RelayModule } from './relay/relay.module.js';
import { RoutingModule } from './routing/routing.module.js';
import { Patient } from './patients/patient.entity.js';
import { PatientsRouter } from './patients/patients.router.js';
import { SyncModule } from './sync/sync.module.js';

/** Every module of MedLink. A new one is a line here. */
@Module({
  imports: [
    HttpModule,
    AccountsModule,
    JournalModule,
    SyncModule,
    RoutingModule.forFeature({ entities: [Patient], router: PatientsRouter }),
  ],
})
export class AppModule {
  static forNode(config: Config, urls: DatabaseUrls): DynamicModule {
    const relay = config.mode === 'central' ? [] : [RelayModule];
    return { module: AppModule, imports: [DatabasesModule.forNode(config, urls), ...relay] };
  }
}
