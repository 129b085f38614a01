import type { EntityManager } from 'typeorm';
import type { ChangeContext } from '../routing/change-context.js';
import { CentralUnavailableError, type DataRouter } from '../routing/data-router.js';
import { isDatabaseAway } from './postgres-problem.js';

/** How long a person waits for central. Milliseconds. */
const PATIENCE_MS = 5_000;

/**
 * What `work` gets from central, or a {@link CentralUnavailableError}: one that is gone after it was open, or that
 * accepts connections and never answers, is told like one that never was there. After `patienceMs` the signal
 * aborts.
 */
export async function answeredByCentral<T>(
  work: (signal: AbortSignal) => Promise<T>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  try {
    return await inTime(work, patienceMs);
  } catch (error) {
    throw isDatabaseAway(error) ? new CentralUnavailableError({ cause: error }) : error;
  }
}

/** A transaction of `data` at central, which a person waits for. What was answered with 503 is not done later. */
export function changedAtCentral<T>(
  data: DataRouter,
  context: ChangeContext,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  return answeredByCentral((signal) =>
    data.centralTransaction(context, async (manager) => {
      const result = await work(manager);
      signal.throwIfAborted();
      return result;
    }),
  );
}

function inTime<T>(work: (signal: AbortSignal) => Promise<T>, patienceMs: number): Promise<T> {
  const patience = new AbortController();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const away = new CentralUnavailableError();
      patience.abort(away);
      reject(away);
    }, patienceMs);
    work(patience.signal)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
