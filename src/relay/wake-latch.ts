/** A wake-up that is not lost when it comes before anyone waits for it. */
export class WakeLatch {
  private raised = false;
  private wake: (() => void) | undefined;

  raise(): void {
    this.raised = true;
    this.wake?.();
  }

  /** Forgets earlier wake-ups: call it before looking, so that what comes after the look still counts. */
  reset(): void {
    this.raised = false;
  }

  /** Resolves at the next wake-up, after `timeoutMs`, or when `signal` aborts; at once when already raised. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.raised || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      signal.addEventListener('abort', done);
      this.wake = done;
    });
  }
}
