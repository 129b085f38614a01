import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { CentralConnection } from '../databases/central-connection.js';
import { DataRouter } from '../routing/data-router.js';
import { CaptureSubscriber } from './capture.subscriber.js';
import { JournalSignal } from './journal-signal.js';
import { replicatedTables } from './replicated-tables.js';

/** Puts every connection of this node under capture, as soon as it is open. */
@Injectable()
export class JournalCapture implements OnModuleInit {
  private readonly logger = new Logger(JournalCapture.name);

  constructor(
    private readonly router: DataRouter,
    private readonly central: CentralConnection,
    private readonly signal: JournalSignal,
  ) {}

  onModuleInit(): void {
    this.attach(this.router.home);
    void this.captureCentral();
  }

  /** What an administrator changes on central's own data is journaled there, with central as its origin. */
  private async captureCentral(): Promise<void> {
    try {
      const source = await this.central.whenOpen();
      if (source !== this.router.home) this.attach(source);
    } catch (error) {
      // The node stops, and central was never reached: nothing is left to capture there.
      this.logger.debug(String(error));
    }
  }

  private attach(source: DataSource): void {
    const committed = () => {
      this.signal.raise();
    };
    source.subscribers.push(new CaptureSubscriber(replicatedTables(source), committed));
  }
}
