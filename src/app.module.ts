import { type DynamicModule, Module } from '@nestjs/common';
import { AccountsModule } from './accounts/accounts.module.js';
import type { Config } from './config/config.js';
import { type DatabaseUrls, DatabasesModule } from './databases/databases.module.js';
import { HttpModule } from './http/http.module.js';
import { RoutingModule } from './routing/routing.module.js';
import { Patient } from './patients/patient.entity.js';
import { PatientsRouter } from './patients/patients.router.js';

/** Every module of MedLink. A new one is a line here. */
@Module({
  imports: [
    HttpModule,
    AccountsModule,
    RoutingModule.forFeature({ entities: [Patient], router: PatientsRouter }),
  ],
})
export class AppModule {
  static forNode(config: Config, urls: DatabaseUrls): DynamicModule {
    return { module: AppModule, imports: [DatabasesModule.forNode(config, urls)] };
  }
}
