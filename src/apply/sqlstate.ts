/**
 * What to do about an error that the receiver's database gave.
 *
 * - `transient`: it is about the server, the session or the version. Wait and try again; nothing is wrong with
 *   the change.
 * - `permanent`: this change can never be accepted as it is; it goes to quarantine, and the others go on.
 */
export type FailureKind = 'transient' | 'permanent';

export interface SqlStates {
  /** Five characters, or the two that a class begins with. */
  readonly states: string;
  readonly kind: FailureKind;
  readonly meaning: string;
}

/**
 * PostgreSQL's error codes (appendix A of its manual) as the receiver of a change sees them; the longer state
 * decides. What is not listed is waited for: the whole queue waiting in order does no harm, while a broken server
 * that condemned what it is sent would fill the quarantine.
 */
export const SQL_STATES: readonly SqlStates[] = [
  { states: '08', kind: 'transient', meaning: 'connection, and the protocol on it' },
  { states: '0A', kind: 'transient', meaning: 'not supported: a plan or a version that changed meanwhile' },
  { states: '20', kind: 'permanent', meaning: 'no case for this value, in a function of the receiver' },
  { states: '21', kind: 'permanent', meaning: 'more rows than one, where the receiver has room for one' },
  { states: '22', kind: 'permanent', meaning: 'a value that does not fit its column' },
  {
    states: '23',
    kind: 'permanent',
    meaning: 'a constraint: unique, foreign key, check, not null, exclusion',
  },
  { states: '25', kind: 'transient', meaning: 'state of the transaction, such as a read-only server' },
  {
    states: '27',
    kind: 'permanent',
    meaning: 'a trigger of the receiver changes the very row that it guards',
  },
  { states: '28', kind: 'transient', meaning: 'the login' },
  { states: '2F', kind: 'transient', meaning: 'a function of the receiver that is not allowed what it does' },
  { states: '38', kind: 'transient', meaning: 'a function of the receiver in another language failed' },
  { states: '39', kind: 'transient', meaning: 'a trigger of the receiver that does not work' },
  { states: '40', kind: 'transient', meaning: 'deadlock, serialization' },
  {
    states: '42',
    kind: 'transient',
    meaning: 'a table, column or right that the receiver lacks: another version, or a missing GRANT',
  },
  { states: '44', kind: 'permanent', meaning: 'the check of a view' },
  { states: '53', kind: 'transient', meaning: 'no disk, memory or connection left' },
  {
    states: '54',
    kind: 'permanent',
    meaning: 'the change exceeds a limit of PostgreSQL, such as the size of an index entry',
  },
  { states: '55', kind: 'transient', meaning: 'a lock, or an object in use' },
  { states: '57', kind: 'transient', meaning: 'the server stops, starts, or ended the statement' },
  { states: '58', kind: 'transient', meaning: 'the disk, the operating system' },
  { states: '72', kind: 'transient', meaning: 'snapshot too old' },
  { states: 'HV', kind: 'transient', meaning: 'a foreign table' },
  { states: 'ML003', kind: 'permanent', meaning: 'the record to change or remove is not there' },
  { states: 'P0', kind: 'permanent', meaning: 'refused by a trigger or function of the receiver' },
  { states: 'XX', kind: 'transient', meaning: 'PostgreSQL itself: internal error, damaged data or index' },
];

const KINDS = new Map(SQL_STATES.map(({ states, kind }) => [states, kind]));

/** An error without SQLSTATE comes from the way to the server, and is transient. */
export function kindOfState(code: string): FailureKind {
  if (!/^[0-9A-Z]{5}$/.test(code)) return 'transient';
  return KINDS.get(code) ?? KINDS.get(code.slice(0, 2)) ?? 'transient';
}
