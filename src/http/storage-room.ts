import { Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { databaseProblem, STORAGE_FULL } from './postgres-problem.js';
import type { Problem } from './problem.js';

/** Takes a quarter of a mebibyte where the database keeps its tables, and gives it back at once. */
const TAKE_ROOM = `
  CREATE TEMPORARY TABLE room_wanted ON COMMIT DROP AS
  SELECT repeat(md5(n::text), 250) AS filler FROM generate_series(1, 32) n`;

/** Remembers that a change was refused because a disk is full, for as long as the node's own database has no room. */
@Injectable()
export class StorageRoom {
  private wasRefused = false;

  noteAnswer(problem: Problem): void {
    if (problem.getStatus() === STORAGE_FULL) this.wasRefused = true;
  }

  /** Nobody can ask a database for its room; so, after a refusal, it is tried. */
  async isFull(home: DataSource): Promise<boolean> {
    if (!this.wasRefused) return false;
    try {
      await home.query(TAKE_ROOM);
      this.wasRefused = false;
    } catch (error) {
      if (databaseProblem(error)?.getStatus() !== STORAGE_FULL) throw error;
    }
    return this.wasRefused;
  }
}
