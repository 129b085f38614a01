export const UNUSABLE_FILE = 'UNUSABLE_FILE';

/** A file that cannot be read on. What was read of it before is imported. */
export class UnusableFileError extends Error {
  /** By this it is known when it comes from another thread. */
  readonly code = UNUSABLE_FILE;

  /** `file` counts from 1; `problem` goes on the sentence "file 1 cannot be used: ...". */
  constructor(
    readonly file: number,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`file ${file} cannot be used: ${problem}`, options);
    this.name = 'UnusableFileError';
  }
}
