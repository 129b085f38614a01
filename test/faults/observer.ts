import { setTimeout as pause } from 'node:timers/promises';
import { tornSets } from './invariants/changes.js';
import { holdingOf } from './invariants/evidence.js';
import { unexplainedRows } from './invariants/replay.js';

/** Share of the time that looking may take. */
const SHARE = 0.1;

/**
 * Looks at central again and again while things break: at every instant it must hold whole transactions only, and
 * rows that its journal explains.
 */
export class Observer {
  private readonly seen = new Set<string>();
  private readonly looking: Promise<void>;
  private over = false;

  constructor(private readonly centralUrl: string) {
    this.looking = this.look();
  }

  /** Resolves with what was seen and should not have been. */
  async stop(): Promise<string[]> {
    this.over = true;
    await this.looking;
    return [...this.seen];
  }

  private async look(): Promise<void> {
    while (!this.over) {
      const begun = performance.now();
      const central = await holdingOf('central', this.centralUrl);
      for (const violation of [...tornSets(central), ...unexplainedRows(central)]) this.seen.add(violation);
      await pause(50 + (performance.now() - begun) / SHARE);
    }
  }
}
