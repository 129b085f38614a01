import { UNUSABLE_FILE } from './unusable-file.error.js';

/** The process that imports is asked to stop. */
export class ImportStoppedError extends Error {
  constructor() {
    super('It was stopped. What was counted is imported; import the same again for the rest.');
    this.name = 'ImportStoppedError';
  }
}

/** Why an import failed, in words that hold no value. `isExpected`: they say everything that there is to know. */
export function describeFailure(error: unknown): { message: string; isExpected: boolean } {
  const { code, message } = error as { code?: unknown; message: string };
  if (code === UNUSABLE_FILE || error instanceof ImportStoppedError) return { message, isExpected: true };
  if (typeof code === 'string' && code.startsWith('Z_'))
    return {
      message: 'A compressed file is damaged. What was read before that is imported.',
      isExpected: true,
    };
  return {
    message: 'It failed half-way. What was counted is imported; import the same again for the rest.',
    isExpected: false,
  };
}
