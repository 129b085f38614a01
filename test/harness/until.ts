import { setTimeout as pause } from 'node:timers/promises';

export interface UntilOptions {
  /** Default 20,000. */
  timeoutMs?: number;
  /** What is waited for, as it should read in the failure. */
  what: string;
}

/** How long to wait before asking again, in milliseconds: a tenth of what it has taken so far, between these. */
const [SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS] = [25, 200];

/**
 * Asks `check` again and again until it answers something truthy, and gives that. Past the deadline it
 * fails with `what` and with the last answer or error. A check that throws counts as "not yet".
 */
export async function until<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 20_000, what }: UntilOptions,
): Promise<NonNullable<T>> {
  const begun = Date.now();
  const deadline = begun + timeoutMs;
  for (;;) {
    const { answer, error } = await attempt(check);
    if (answer) return answer;
    if (Date.now() > deadline) {
      const last = error
        ? `the last attempt failed: ${(error as Error).message}`
        : `the last answer was ${JSON.stringify(answer)}`;
      throw new Error(`Not within ${timeoutMs} ms: ${what}; ${last}`, { cause: error });
    }
    await pause(Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, (Date.now() - begun) / 10)));
  }
}

async function attempt<T>(check: () => T | Promise<T>): Promise<{ answer?: T; error?: unknown }> {
  try {
    return { answer: await check() };
  } catch (error) {
    return { error };
  }
}
