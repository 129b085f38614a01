import { Inject, Injectable, Logger } from '@nestjs/common';
import type { AlertCode } from '../alerts/alert-codes.js';
import { raiseAlert } from '../alerts/raise-alert.js';
import { QuarantinedLanes } from '../journal/quarantined-lanes.js';
import { type Delivery, LINK, type Link } from './link.js';

/** Tells this region's people what central holds in quarantine, and keeps it known while central is away. */
@Injectable()
export class QuarantineWatch {
  private readonly logger = new Logger(QuarantineWatch.name);

  constructor(
    @Inject(LINK) private readonly link: Link,
    private readonly lanes: QuarantinedLanes,
  ) {}

  async noteDelivery({ refused, waiting, held }: Delivery): Promise<void> {
    if (refused + waiting > 0)
      this.logger.warn(
        `Central put ${String(refused)} changes into quarantine; ${String(waiting)} wait behind them`,
      );
    if (held > 0) this.logger.warn(`${String(held)} changes wait for central to be upgraded`);
    await this.refresh();
  }

  /**
   * Learns from central which lanes it holds, and raises the alert for what was not known: the answer that told so may
   * have been lost, or the process that asked. Throws when central does not answer in time.
   */
  async refresh(): Promise<void> {
    await this.lanes.replace(await this.link.heldLanes(), async (manager, { refused, held }) => {
      const raise = (code: AlertCode, count: number) =>
        raiseAlert((sql, values) => manager.query(sql, values), { code, subject: 'central', count });
      if (refused > 0) await raise('CHANGE_REFUSED', refused);
      if (held > 0) await raise('HELD_FOR_UPGRADE', held);
    });
  }
}
