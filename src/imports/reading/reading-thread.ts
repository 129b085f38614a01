import { on } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { batchesOfFiles, type ReadBatch, type Reading } from '../lines-of-files.js';

/** What the thread answers to each request for the next batch, in their order. */
export type Answer =
  | { readonly batch: ReadBatch }
  | { readonly end: true }
  /** An error keeps its message on the way to another thread, and loses its code. */
  | { readonly error: Error; readonly code: unknown };

const port = parentPort!;
const batches = batchesOfFiles(workerData as Reading);

// What nobody has asked for is not read: the memory holds no more batches than were asked for.
const requests = on(port, 'message');
let answer: Answer;
do {
  await requests.next();
  answer = await nextAnswer();
  port.postMessage(answer);
} while ('batch' in answer);
port.close();

async function nextAnswer(): Promise<Answer> {
  try {
    const read = await batches.next();
    return read.done ? { end: true } : { batch: read.value };
  } catch (error) {
    return { error: error as Error, code: (error as { code?: unknown }).code };
  }
}
