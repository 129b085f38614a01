import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { CentralConnection } from '../databases/central-connection.js';
import { DataRouter } from '../routing/data-router.js';
import { CaptureSubscriber } from './capture.subscriber.js';
import { JournalSignal } from './journal-signal.js';
import { replicatedTables } from './replicated-tables.js';

/** Puts every connection of this node under capture, as soon as it is open. */
@Injectable()
export class JournalCapture implements OnModuleInit {
  constructor(
    private readonly router: DataRouter,
    private readonly central: CentralConnection,
    private readonly signal: JournalSignal,
  ) {}

  onModuleInit(): void {
    this.attach(this.router.home);
    this.central.onOpen((source) => {
      if (source !== this.router.home) this.attach(source);
    });
  }

  private attach(source: DataSource): void {
    const committed = () => {
      this.signal.raise();
    };
    source.subscribers.push(new CaptureSubscriber(replicatedTables(source), committed));
  }
}
