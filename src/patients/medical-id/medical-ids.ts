import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { DataRouter } from '../../routing/data-router.js';
import { Patient } from '../patient.entity.js';
import { medicalIdOf } from './medical-id.js';
import { SPACE } from './scramble.js';

/**
 * Numbers taken from the sequence at once: a thousand creates share one round trip. The sequence counts
 * blocks, so this is part of what every id ever given means: never change it.
 */
const BLOCK = 1024;

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
  ) {}

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
    const [{ block }] = await this.data
      .forWrite(Patient)
      .query<[{ block: string }]>(`SELECT nextval('medical_id_seq') AS block`);
    const first = Number(block) * BLOCK + this.offset();
    return Array.from({ length: BLOCK }, (_, index) => medicalIdOf(this.config.region, first + index));
  }

  /** Central may register patients for a region whose own node counts as well: each has its half. */
  private offset(): number {
    return this.config.mode === 'central' ? SPACE / 2 : 0;
  }
}
