import { CentralUnavailableError } from '../routing/data-router.js';
import { isDatabaseAway } from './postgres-problem.js';

/** How long a person waits for central. Milliseconds. */
const PATIENCE_MS = 5_000;

/**
 * What `work` gets from central, or a {@link CentralUnavailableError}: one that is gone after it was open, or that
 * accepts connections and never answers, is told like one that never was there. After `patienceMs` the signal
 * aborts: a transaction asks it last before its commit, so that what was answered with 503 is not done later.
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
