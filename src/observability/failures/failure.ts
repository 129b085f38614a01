export interface Words {
  readonly fr: string;
  readonly en: string;
}

export type Severity = 'warning' | 'critical';

/**
 * Where it is met: the start of a node ends or says so (`start`), `link.lastError` of the status, the log, an alert, an
 * entry in quarantine, a person at psql.
 */
export type Where = 'start' | 'status' | 'log' | 'alert' | 'quarantine' | 'psql';

/** A failure that an operator can meet, by its code. */
export interface Failure {
  readonly where: readonly Where[];
  /** Of the alert that it raises. */
  readonly severity?: Severity;
  readonly meaning: Words;
  /** What to do. */
  readonly remedy: Words;
  /** The section of docs/operations.md that tells more. */
  readonly see?: string;
}
