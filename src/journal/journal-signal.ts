import { Injectable } from '@nestjs/common';

/**
 * Tells this process that the journal has grown. Only a hint: whoever listens reads the journal itself,
 * and also looks without being told, for what other processes write. A NOTIFY in every writing
 * transaction would say it to all processes, and cut the writers to a third.
 */
@Injectable()
export class JournalSignal {
  private readonly listeners = new Set<() => void>();

  /** Returns how to stop listening. */
  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  raise(): void {
    for (const listener of this.listeners) listener();
  }
}
