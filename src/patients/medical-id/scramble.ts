import { createHash } from 'node:crypto';

/** Numbers from 0 up to this (exclusive) are scrambled onto each other. */
export const SPACE = 2 ** 40;

const HALF = 2 ** 20;
const MASK = HALF - 1;
const ROUNDS = 6;
const { floor, imul } = Math;

/**
 * A bijection on 40 bits that no two regions share: a Feistel network over two halves of 20 bits,
 * whose round keys come from the region's code. Neighbours end up far apart, so an id does not tell
 * how many patients came before it. It obscures the order; it is no secret from who reads this file.
 */
export class Scramble {
  private readonly keys: readonly number[];

  constructor(region: string) {
    const digest = createHash('sha256').update(`medical id ${region}`).digest();
    this.keys = Array.from({ length: ROUNDS }, (_, round) => digest.readUInt32LE(round * 4));
  }

  /** The number that stands for `number`, an integer from 0 to 2^40 - 1. */
  apply(number: number): number {
    let left = floor(number / HALF);
    let right = number & MASK;
    for (let round = 0; round < ROUNDS; round++) {
      const next = left ^ mix(right, this.keys[round]!);
      left = right;
      right = next;
    }
    return left * HALF + right;
  }

  /** The number that {@link apply} was given. */
  invert(scrambled: number): number {
    let left = floor(scrambled / HALF);
    let right = scrambled & MASK;
    for (let round = ROUNDS - 1; round >= 0; round--) {
      const previous = right ^ mix(left, this.keys[round]!);
      right = left;
      left = previous;
    }
    return left * HALF + right;
  }
}

/** Twenty bits that depend on every bit of `half` and `key` (the finaliser of MurmurHash3). */
function mix(half: number, key: number): number {
  let hash = half ^ key;
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) & MASK;
}
