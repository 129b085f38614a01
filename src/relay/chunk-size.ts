/**
 * How long a chunk should be under way, in milliseconds: far below the time after which it counts as hung, and such that
 * regions which change the same patients, and wait for each other's chunks one after the other, do not wait for long.
 */
const TARGET_MS = 300;
/** Fewer take as long where each chunk costs something by itself, and a queue behind many regions would only grow. */
const SMALLEST_BY_TIME = 100;
const SMALLEST = 1;
/** Nobody knows yet how fast the link is. */
const FIRST = 250;

/**
 * How many entries to send at a time. Time decides: a slow link or large rows get smaller chunks, and a failing one gets
 * down to one entry, so that each arrives before it counts as hung; a fast link gets larger ones, which cost less.
 */
export class ChunkSize {
  private size: number;

  constructor(private readonly largest: number) {
    this.size = Math.min(FIRST, largest);
  }

  get entries(): number {
    return this.size;
  }

  /** A chunk of `count` entries took `ms`. One that was not full says little. */
  delivered(count: number, ms: number): void {
    if (count * 2 < this.size) return;
    const factor = Math.min(2, Math.max(0.5, TARGET_MS / Math.max(1, ms)));
    const smallest = Math.min(this.size, SMALLEST_BY_TIME);
    this.size = Math.min(this.largest, Math.max(smallest, Math.floor(this.size * factor)));
  }

  failed(): void {
    this.size = Math.max(SMALLEST, this.size >> 2);
  }
}
