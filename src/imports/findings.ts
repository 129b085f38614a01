import type { ImportFinding } from './import-finding.entity.js';
import type { LineOutcome } from './writing/line-outcome.js';

export type Finding = Omit<ImportFinding, 'importId' | 'position'>;

/** What is to be reported of a line: everything that is wrong with it; for a patient, also what was left out. */
export function findingsOf({ line, result, path = '', message }: LineOutcome): Finding[] {
  if (result === 'skipped')
    return [{ ...line.at, level: 'skipped', path, message: skippedReason(line, message) }];
  if (result === 'failed') {
    const errors = line.kind === 'bad' ? line.errors : [{ path, message: message ?? 'cannot be imported' }];
    return errors.map((error) => ({ ...line.at, level: 'error', ...error }));
  }
  const warnings = line.kind === 'patient' ? line.warnings : [];
  return warnings.map((warning) => ({ ...line.at, level: 'warning', ...warning }));
}

function skippedReason(line: LineOutcome['line'], message: string | undefined): string {
  return message ?? (line.kind === 'skipped' ? line.reason : 'is not imported');
}

/** Of what is skipped only the first of each kind is told: a file may hold a hundred thousand of them. */
export class FirstOfEachKind {
  private readonly told = new Set<string>();

  of(findings: readonly Finding[]): Finding[] {
    const seen = new Set(this.told);
    return findings.filter(({ level, message }) => {
      if (level !== 'skipped') return true;
      if (seen.has(message)) return false;
      seen.add(message);
      return true;
    });
  }

  remember({ level, message }: Finding): void {
    if (level === 'skipped') this.told.add(message);
  }
}
