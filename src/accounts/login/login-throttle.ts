/** Wrong passwords that a person may type before they must wait. */
const FREE_ATTEMPTS = 5;
const MAX_DELAY_S = 15 * 60;
const FORGET_AFTER_MS = 60 * 60_000;
/** Bounds the memory that an attacker with many names can take. The oldest are forgotten first. */
const MAX_REMEMBERED = 50_000;
/** Attempts of one account and address that may wait for each other. */
const MAX_WAITING = 50;

export type Attempt<T> =
  | { readonly outcome: 'accepted'; readonly value: T }
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'wait'; readonly seconds: number };

/** Seconds to wait after that many wrong passwords in a row: 1, 2, 4 … 900. */
export function delayAfter(failures: number): number {
  if (failures < FREE_ATTEMPTS) return 0;
  return Math.min(2 ** (failures - FREE_ATTEMPTS), MAX_DELAY_S);
}

interface Guesses {
  failures: number;
  /** Milliseconds on the throttle's clock. */
  waitUntil: number;
  forgetAt: number;
  waiting: number;
  last: Promise<unknown>;
}

/**
 * Slows down whoever guesses passwords, by account and source address together: the account's owner,
 * who sits elsewhere, is not kept out by it. An account that does not exist is treated alike.
 */
export class LoginThrottle {
  private readonly guesses = new Map<string, Guesses>();

  /** `clock`: milliseconds that never step back. */
  constructor(private readonly clock: () => number = () => performance.now()) {}

  /**
   * Runs `verify`, which gives `undefined` for a wrong password, unless the caller has to wait first.
   * Attempts at one account from one address run one after the other: a burst sent at once gets no
   * more guesses than a patient one.
   */
  async attempt<T>(
    account: string,
    address: string,
    verify: () => Promise<T | undefined>,
  ): Promise<Attempt<T>> {
    const key = JSON.stringify([account, address]);
    const guesses = this.remembered(key) ?? this.remember(key);
    if (guesses.waiting >= MAX_WAITING) return { outcome: 'wait', seconds: 1 };
    guesses.waiting += 1;
    const attempt = guesses.last.then(() => this.next(key, guesses, verify));
    guesses.last = attempt.then(
      () => (guesses.waiting -= 1),
      () => (guesses.waiting -= 1),
    );
    return attempt;
  }

  private async next<T>(
    key: string,
    guesses: Guesses,
    verify: () => Promise<T | undefined>,
  ): Promise<Attempt<T>> {
    const remaining = guesses.waitUntil - this.clock();
    if (remaining > 0) return { outcome: 'wait', seconds: Math.ceil(remaining / 1_000) };
    const value = await verify();
    if (value !== undefined) {
      guesses.failures = 0;
      if (guesses.waiting === 1) this.guesses.delete(key);
      return { outcome: 'accepted', value };
    }
    guesses.failures += 1;
    guesses.waitUntil = this.clock() + delayAfter(guesses.failures) * 1_000;
    guesses.forgetAt = this.clock() + FORGET_AFTER_MS;
    return { outcome: 'refused' };
  }

  private remembered(key: string): Guesses | undefined {
    const guesses = this.guesses.get(key);
    const isOld = guesses !== undefined && guesses.waiting === 0 && guesses.forgetAt <= this.clock();
    if (!isOld) return guesses;
    this.guesses.delete(key);
    return undefined;
  }

  private remember(key: string): Guesses {
    this.forgetOldest();
    const now = this.clock();
    const guesses = {
      failures: 0,
      waitUntil: now,
      forgetAt: now + FORGET_AFTER_MS,
      waiting: 0,
      last: Promise.resolve(),
    };
    this.guesses.set(key, guesses);
    return guesses;
  }

  /** In order of first attempt, so that a call looks at few. */
  private forgetOldest(): void {
    for (const [key, { forgetAt, waiting }] of this.guesses) {
      const due = forgetAt <= this.clock() || this.guesses.size >= MAX_REMEMBERED;
      if (!due) return;
      if (waiting === 0) this.guesses.delete(key);
    }
  }
}
