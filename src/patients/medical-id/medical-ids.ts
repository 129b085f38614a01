import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { RecoverySteps } from '../../journal/recovery-steps.js';
import { DataRouter } from '../../routing/data-router.js';
import { Patient } from '../patient.entity.js';
import { BLOCK } from './blocks.js';
import { medicalIdOf } from './medical-id.js';
import { highestBlock } from './recovered-ids.js';
import { SPACE } from './scramble.js';

/**
 * No block below the number of these that have passed since 2026 is begun. A database that was restored from a
 * backup cannot know what it gave since; unless it gave more than a hundred ids a second, time has passed over
 * them. For 170 years there are blocks enough.
 */
const TICK_MS = 10_000;
const FIRST_TICK = Date.UTC(2026, 0);

/** Whoever moves the sequence holds this, so that it never goes back. Any number. */
const SEQUENCE_LOCK = 7_304_003;

/**
 * How far ahead of time the highest block that comes back may be. A client may make up an id in the same form, of
 * any number; to follow it would use up the blocks.
 */
const REACH = 1_000_000;

/**
 * Gives medical ids without asking any other node. The home database counts; what is left of a block
 * when the process ends is never given.
 */
@Injectable()
export class MedicalIds {
  private ids: string[] = [];
  private refill: Promise<void> | undefined;

  constructor(
    private readonly data: DataRouter,
    private readonly config: Config,
    steps: RecoverySteps,
  ) {
    steps.add(async (session) => {
      await this.passOver(await highestBlock(session, config.region, lowestTick() + REACH));
      this.ids = [];
    });
  }

  /** An id that this node has never given. */
  async next(): Promise<string> {
    for (;;) {
      const id = this.ids.pop();
      if (id !== undefined) return id;
      this.refill ??= this.takeBlock().finally(() => (this.refill = undefined));
      await this.refill;
    }
  }

  /** A database that was restored from a backup counts from there again: blocks in use are passed over. */
  private async takeBlock(): Promise<void> {
    for (;;) {
      const ids = await this.newBlock();
      const used = await this.data
        .forWrite(Patient)
        .query<unknown[]>('SELECT FROM patients WHERE medical_id = ANY($1) LIMIT 1', [ids]);
      if (used.length > 0) continue;
      this.ids = ids.reverse();
      return;
    }
  }

  private async newBlock(): Promise<string[]> {
    let block = await this.nextBlock();
    if (block < lowestTick()) {
      await this.passOver(lowestTick());
      block = await this.nextBlock();
    }
    const first = block * BLOCK + this.offset();
    return Array.from({ length: BLOCK }, (_, index) => medicalIdOf(this.config.region, first + index));
  }

  private async nextBlock(): Promise<number> {
    const [{ block }] = await this.data
      .forWrite(Patient)
      .query<[{ block: string }]>(`SELECT nextval('medical_id_seq') AS block`);
    return Number(block);
  }

  /** No block up to this one is begun any more. */
  private async passOver(block: number): Promise<void> {
    await this.data.forWrite(Patient).manager.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock($1)', [SEQUENCE_LOCK]);
      await manager.query(`SELECT setval('medical_id_seq', $1) FROM medical_id_seq WHERE last_value < $1`, [
        block,
      ]);
    });
  }

  /** Central may register patients for a region whose own node counts as well: each has its half. */
  private offset(): number {
    return this.config.mode === 'central' ? SPACE / 2 : 0;
  }
}

function lowestTick(): number {
  return Math.floor((Date.now() - FIRST_TICK) / TICK_MS);
}
