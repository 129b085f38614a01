import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataRouter } from '../routing/data-router.js';
import { forgetOldKeys } from './idempotency.js';

/** Stored answers hold patients' data: they are kept for as long as a client may retry, and no longer. */
const KEPT_HOURS = 24;
const EVERY_MS = 60 * 60 * 1000;

/** Forgets old idempotency keys, once an hour. */
@Injectable()
export class IdempotencyRetention implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly log = new Logger(IdempotencyRetention.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly router: DataRouter) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.run(), EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async run(): Promise<void> {
    try {
      await forgetOldKeys(this.router.home.manager, KEPT_HOURS);
    } catch (error) {
      this.log.warn('Old idempotency keys could not be forgotten; the next hour tries again', error);
    }
  }
}
