import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { RecoverySteps } from '../../journal/recovery-steps.js';
import { DataRouter } from '../../routing/data-router.js';
import { Patient } from '../patient.entity.js';
import { BLOCK, blocksOfTime, drawBlocks, passOver } from './blocks.js';
import { medicalIdOf } from './medical-id.js';
import { highestBlock } from './recovered-ids.js';
import { SPACE } from './scramble.js';

/** Blocks that are drawn at once, at most: a thousand creates share one round trip. */
const MOST_BLOCKS = 32;

/**
 * How far ahead of time the highest block that comes back may be: a hundred million ids. A client may make up an id
 * in the same form, of any number; to follow it would use up the blocks.
 */
const REACH = 3_000_000;

/**
 * Gives medical ids without asking any other node. The home database counts; what is left of the blocks that were
 * drawn when the process ends is never given.
 */
@Injectable()
export class MedicalIds {
  private ids: string[] = [];
  private refill: Promise<void> | undefined;
  /** Grows with use, since blocks that were drawn for nothing run ahead of time. */
  private blocksAtOnce = 1;

  constructor(
    private readonly data: DataRouter,
    private readonly config: Config,
    steps: RecoverySteps,
  ) {
    steps.add(async (session) => {
      const highest = await highestBlock(session, config.region, blocksOfTime() + REACH);
      await passOver(this.manager.dataSource, highest);
      this.ids = [];
    });
  }

  /** An id that this node has never given. */
  async next(): Promise<string> {
    for (;;) {
      const id = this.ids.pop();
      if (id !== undefined) return id;
      this.refill ??= this.takeBlocks().finally(() => (this.refill = undefined));
      await this.refill;
    }
  }

  /** A database that was restored from a backup counts from there again: blocks in use are passed over. */
  private async takeBlocks(): Promise<void> {
    const drawn = await drawBlocks(this.manager, this.blocksAtOnce);
    const blocks = drawn.map((block) => this.idsOf(block));
    const rows = await this.manager.query<{ id: string }[]>(
      'SELECT medical_id AS id FROM patients WHERE medical_id = ANY($1)',
      [blocks.flat()],
    );
    const used = new Set(rows.map(({ id }) => id));
    this.blocksAtOnce = Math.min(MOST_BLOCKS, this.blocksAtOnce * 2);
    this.ids = blocks
      .filter((ids) => !ids.some((id) => used.has(id)))
      .flat()
      .reverse();
  }

  private idsOf(block: number): string[] {
    const first = block * BLOCK + this.offset();
    return Array.from({ length: BLOCK }, (_, index) => medicalIdOf(this.config.region, first + index));
  }

  /** Central may register patients for a region whose own node counts as well: each has its half. */
  private offset(): number {
    return this.config.mode === 'central' ? SPACE / 2 : 0;
  }

  private get manager() {
    return this.data.forWrite(Patient).manager;
  }
}
