import { percentile } from '../report.js';

export interface Load {
  /** Milliseconds. */
  readonly median: number;
  readonly p99: number;
  readonly perSecond: number;
  readonly count: number;
}

/** One piece of work at a time in each of `concurrency` loops, for `seconds`. */
export async function runLoad(
  concurrency: number,
  seconds: number,
  work: (loop: number) => Promise<unknown>,
): Promise<Load> {
  const latencies: number[] = [];
  const began = performance.now();
  const end = began + seconds * 1_000;
  const loop = async (nth: number) => {
    while (performance.now() < end) {
      const sent = performance.now();
      await work(nth);
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, nth) => loop(nth)));
  const elapsed = (performance.now() - began) / 1_000;
  return {
    median: percentile(latencies, 50),
    p99: percentile(latencies, 99),
    perSecond: latencies.length / elapsed,
    count: latencies.length,
  };
}
