import type { ImportLine } from '../import-line.js';

/** What became of one line. Every line has exactly one outcome. */
export type Result = 'created' | 'updated' | 'unchanged' | 'skipped' | 'failed';

export interface LineOutcome {
  readonly line: ImportLine;
  readonly result: Result;
  /** Why a line failed or was skipped, where the line itself does not say it. Holds no value. */
  readonly path?: string;
  readonly message?: string;
}
