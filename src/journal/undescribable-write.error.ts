/** A write to a replicated table that could not be journaled exactly. It was refused before it ran. */
export class UndescribableWriteError extends Error {
  constructor(table: string, problem: string, remedy: string) {
    super(`A write to "${table}" was refused because it cannot be journaled: ${problem}. ${remedy}`);
    this.name = 'UndescribableWriteError';
  }
}
