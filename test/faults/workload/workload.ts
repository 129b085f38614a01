import { setTimeout as pause } from 'node:timers/promises';
import type { Book } from '../book.js';
import type { Random } from '../random.js';
import type { Region } from '../world.js';
import { Clinician, type Temper } from './clinician.js';
import { DatabaseUser } from './database-user.js';

export interface Staff extends Temper {
  readonly clinicians: number;
  readonly databaseUsers: number;
  /** Longest rest between two things that one of them does, in milliseconds. */
  readonly restMs: number;
}

interface Person {
  doSomething(): Promise<void>;
  leave?(): Promise<void>;
}

/** People at work in every region, until they are told to stop. */
export class Workload {
  private readonly working: Promise<void>[] = [];
  private over = false;

  constructor(book: Book, regions: readonly Region[], random: Random, staff: Staff) {
    for (const region of regions) {
      for (let nth = 0; nth < staff.clinicians; nth++) {
        const own = random.fork(`clinician ${nth} ${region.code}`);
        this.working.push(this.work(new Clinician(book, region, own, staff), own, staff.restMs));
      }
      for (let nth = 0; nth < staff.databaseUsers; nth++) {
        const own = random.fork(`database user ${nth} ${region.code}`);
        this.working.push(this.work(new DatabaseUser(book, region, own), own, staff.restMs * 4));
      }
    }
  }

  /** Nobody begins anything any more; resolves when all have ended what they were at. */
  async stop(): Promise<void> {
    this.over = true;
    await Promise.all(this.working);
  }

  private async work(person: Person, random: Random, restMs: number): Promise<void> {
    while (!this.over) {
      await person.doSomething();
      await pause(random.next() * restMs);
    }
    await person.leave?.();
  }
}
