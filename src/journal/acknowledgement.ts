import { Injectable } from '@nestjs/common';

/** How far central has applied this node's journal, as far as this process knows. */
export interface AcknowledgedPosition {
  readonly seq: number;
  readonly at: Date | null;
}

/**
 * The newest acknowledgement, in memory. The relay writes it to `replication_peers` now and then; being
 * behind there is safe, since it only lets a change look pending for longer.
 */
@Injectable()
export class Acknowledgement {
  private position: AcknowledgedPosition = { seq: 0, at: null };

  get current(): AcknowledgedPosition {
    return this.position;
  }

  set(position: AcknowledgedPosition): void {
    this.position = position;
  }
}
