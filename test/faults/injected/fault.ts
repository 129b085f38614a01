import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../harness/until.js';
import type { Book } from '../book.js';
import type { Random } from '../random.js';
import type { Region, World } from '../world.js';
import type { ServedNode } from '../../harness/served-node.js';

/** Where a fault happens, and what decides how. */
export interface Scene<Node extends ServedNode = ServedNode> {
  readonly world: World<Node>;
  readonly region: Region<Node>;
  readonly book: Book;
  readonly random: Random;
  /** How long it lasts, in milliseconds. */
  readonly lastsMs: number;
}

/** Does harm, and resolves when it is over. Rejects when clinicians could not go on meanwhile, who should have. */
export type Fault<Node extends ServedNode = ServedNode> = (scene: Scene<Node>) => Promise<void>;

/** The region works on as if nothing had happened: this is how long nobody may wait for a first success. */
const WORKS_ON_WITHIN_MS = 10_000;

/** Lets the fault last, and until something was written meanwhile: the region never waits for central. */
export async function workGoesOn({ book, region, lastsMs }: Scene): Promise<void> {
  const before = book.countOf('acknowledged', region.code);
  await pause(lastsMs);
  await until(() => book.countOf('acknowledged', region.code) > before, {
    what: `a write of ${region.code} succeeds`,
    timeoutMs: WORKS_ON_WITHIN_MS,
  });
}
