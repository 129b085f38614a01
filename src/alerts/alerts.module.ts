import { Global, Module } from '@nestjs/common';
import { AlertsController } from './alerts.controller.js';
import { Alerts } from './alerts.service.js';

@Global()
@Module({ controllers: [AlertsController], providers: [Alerts], exports: [Alerts] })
export class AlertsModule {}
