import { type BeforeApplicationShutdown, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { ClientBase } from 'pg';
import { raiseAlert, type RaisedAlert } from '../alerts/raise-alert.js';
import { openClient } from '../databases/own-client.js';
import type { Acknowledgement } from '../journal/acknowledgement.js';
import type { DataRouter } from '../routing/data-router.js';
import type { Uplink } from './uplink.js';
import type { FailureCode } from '../observability/failures/failure-codes.js';

export interface StallLimits {
  /** How long nothing may move, in milliseconds. */
  readonly afterMs: number;
  readonly lookEveryMs: number;
}

export const STALL_LIMITS: StallLimits = { afterMs: 90_000, lookEveryMs: 5_000 };

/** How often a chunk may arrive damaged before somebody has to look at the line. */
const DAMAGED_TIMES = 3;

/** Longest silence of the node's own database when it is asked what is pending, in milliseconds. */
const ANSWER_MS = 5_000;

/** Central answers, changes wait, and none of them moved. The exchange was cut and begins anew. */
export class ExchangeStalledError extends Error {
  readonly code = 'EXCHANGE_STALLED' satisfies FailureCode;

  constructor(seconds: number) {
    super(`Changes wait and none has moved for ${seconds.toFixed()} s: the exchange begins anew`);
    this.name = 'ExchangeStalledError';
  }
}

/**
 * Looks at the exchange from outside, since what hangs cannot tell: when changes wait, central is reached and
 * nothing moves, it raises an alert and lets the exchange begin anew. It also tells of a line that damages what it
 * carries.
 */
export class ExchangeWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ExchangeWatch.name);
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private damageIsTold = false;

  constructor(
    private readonly router: DataRouter,
    private readonly acknowledgement: Acknowledgement,
    private readonly uplink: Uplink,
    private readonly limits: StallLimits = STALL_LIMITS,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.looking ??= this.look().finally(() => {
        this.looking = undefined;
      });
    }, this.limits.lookEveryMs);
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  private async look(): Promise<void> {
    await this.lookForDamage();
    await this.lookForStall();
  }

  private async lookForDamage(): Promise<void> {
    const { damaged } = this.uplink.state;
    if (damaged === 0) this.damageIsTold = false;
    if (damaged < DAMAGED_TIMES || this.damageIsTold) return;
    this.damageIsTold = true;
    await this.raise({ code: 'CHUNK_CORRUPT', subject: 'central', count: damaged });
  }

  private async lookForStall(): Promise<void> {
    const { clock } = this.uplink.state;
    const idleMs = clock.look(2 * this.limits.lookEveryMs);
    if (idleMs < this.limits.afterMs || !(await this.somethingWaits())) return;
    // The next exchange has as long again.
    clock.moved();
    this.uplink.restart(new ExchangeStalledError(idleMs / 1000));
    await this.raise({ code: 'EXCHANGE_STALLED', subject: 'central', count: 1 });
  }

  /** True also when it cannot be known: a database that does not say is part of the trouble. */
  private async somethingWaits(): Promise<boolean> {
    try {
      const { rowCount } = await this.atHome((client) =>
        client.query('SELECT FROM journal JOIN node ON node.code = journal.origin WHERE seq > $1 LIMIT 1', [
          this.acknowledgement.current.seq,
        ]),
      );
      return rowCount !== 0;
    } catch (error) {
      this.logger.warn(`What is pending cannot be known: ${String(error)}`);
      return true;
    }
  }

  private async raise(alert: RaisedAlert): Promise<void> {
    try {
      await this.atHome((client) => raiseAlert((sql, values) => client.query(sql, values), alert));
    } catch (error) {
      this.logger.error(`The alert ${alert.code} could not be raised: ${String(error)}`);
    }
  }

  /** On a session of its own: the pool may be what is stuck. */
  private async atHome<T>(work: (client: ClientBase) => Promise<T>): Promise<T> {
    const { client, close } = await openClient(this.router.home, ANSWER_MS);
    try {
      return await work(client);
    } finally {
      close();
    }
  }
}
