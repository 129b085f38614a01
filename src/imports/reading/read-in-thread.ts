import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ReadBatch, Reading } from '../lines-of-files.js';
import type { Answer } from './reading-thread.js';

/** Batches that are asked for before they are needed: one that is read, and one that waits. */
const AHEAD = 2;

/**
 * The batches of files, read and checked by a thread of its own: that takes as long as writing them, and this
 * thread has clinicians to answer. Rejects as `batchesOfFiles` does.
 */
export async function* readInThread(reading: Reading): AsyncGenerator<ReadBatch> {
  const thread = new Worker(new URL('reading-thread.js', import.meta.url), {
    workerData: reading,
    // Not the options of this process, which may be a debugger's; those of NODE_OPTIONS hold for it as well.
    execArgv: [],
  });
  try {
    for (let asked = 0; asked < AHEAD; asked++) thread.postMessage('next');
    for await (const [answer] of on(thread, 'message', { close: ['exit'] }) as AsyncIterable<[Answer]>) {
      if ('end' in answer) return;
      if ('error' in answer) throw Object.assign(answer.error, { code: answer.code });
      thread.postMessage('next');
      yield answer.batch;
    }
    throw new Error('The thread that reads the files has ended without a word');
  } finally {
    await thread.terminate();
  }
}
