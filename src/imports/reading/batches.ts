import { setImmediate as nextTurn } from 'node:timers/promises';

/** Items after which others get their turn, so that the node goes on answering. */
const TURN = 25;

/** `items` in lists of `size`; the last may be shorter. */
export async function* batchesOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  let read = 0;
  for await (const item of items) {
    batch.push(item);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
    if (++read % TURN === 0) await nextTurn();
  }
  if (batch.length > 0) yield batch;
}

/** Reads the next item while the consumer is busy with the one before: the database and this process work at once. */
export async function* readAhead<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = items.next();
  try {
    for (let item = await next; !item.done; item = await next) {
      next = items.next();
      yield item.value;
    }
  } finally {
    // A consumer that gave up no longer asks what became of it.
    await Promise.allSettled([next]);
    await items.return(undefined);
  }
}
