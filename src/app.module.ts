import { type DynamicModule, Module } from '@nestjs/common';
import { AccountsModule } from './accounts/accounts.module.js';
import { AlertsModule } from './alerts/alerts.module.js';
import { ConflictsModule } from './conflicts/conflicts.module.js';
import type { Config } from './config/config.js';
import { type DatabaseUrls, DatabasesModule } from './databases/databases.module.js';
import { HostsModule } from './hosts/hosts.module.js';
import { HttpModule } from './http/http.module.js';
import { ImportsModule } from './imports/imports.module.js';
import { JournalModule } from './journal/journal.module.js';
import { RetentionModule } from './journal/retention.module.js';
import { QuarantineModule } from './quarantine/quarantine.module.js';
import { RegionsModule } from './regions/regions.module.js';
import { RelayModule } from './relay/relay.module.js';
import { NationalModule } from './national/national.module.js';
import { PatientsModule } from './patients/patients.module.js';
import { SyncModule } from './sync/sync.module.js';

/** Every module of MedLink. A new one is a line here. */
@Module({
  imports: [
    HttpModule,
    AccountsModule,
    JournalModule,
    RetentionModule,
    RegionsModule,
    HostsModule,
    ConflictsModule,
    SyncModule,
    AlertsModule,
    QuarantineModule,
    PatientsModule,
    NationalModule,
    ImportsModule,
  ],
})
export class AppModule {
  static forNode(config: Config, urls: DatabaseUrls): DynamicModule {
    const relay = config.mode === 'central' ? [] : [RelayModule];
    return { module: AppModule, imports: [DatabasesModule.forNode(config, urls), ...relay] };
  }
}
