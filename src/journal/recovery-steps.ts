import { Injectable } from '@nestjs/common';
import type { ClientBase } from 'pg';

/**
 * What a module must do before entries that this database had lost come back. The session has them in the
 * temporary table `lost_entries` (journal columns, `origin_seq` being the position), and no transaction is open.
 * May run again, when the recovery was interrupted.
 */
export type RecoveryStep = (session: ClientBase) => Promise<void>;

/** Modules add their steps when they are made; whoever brings entries back runs them. */
@Injectable()
export class RecoverySteps {
  private readonly steps: RecoveryStep[] = [];

  add(step: RecoveryStep): void {
    this.steps.push(step);
  }

  async run(session: ClientBase): Promise<void> {
    for (const step of this.steps) await step(session);
  }
}
