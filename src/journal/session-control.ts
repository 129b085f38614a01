import type { Turn } from './change-buffer.js';
import { withoutComments } from './sql-text.js';
import { UndescribableWriteError } from './undescribable-write.error.js';

const CONTROL = String.raw`(?:begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b`;
const STARTS_WITH_CONTROL = new RegExp(String.raw`^\s*${CONTROL}`, 'i');
const HOLDS_CONTROL = new RegExp(String.raw`(?:^|;)\s*${CONTROL}`, 'i');

/** Reading it (current_setting) is harmless, and asked for by nobody but the capture itself. */
const CAPTURE_SETTING = /\bcapture\b|\bsession_replication_role\b/i;
const SETS_CAPTURE =
  /\b(?:set|set_config|reset)\b[^]*\bmedlink"?\s*\.\s*"?capture\b|\bsession_replication_role\b/i;

/** What TypeORM itself sends at each turn of a transaction. */
const OWN_CONTROL: Record<Turn, RegExp> = {
  start: /^(?:START TRANSACTION|SAVEPOINT typeorm_\d+)$/,
  commit: /^(?:COMMIT|RELEASE SAVEPOINT typeorm_\d+)$/,
  rollback: /^(?:ROLLBACK|ROLLBACK TO SAVEPOINT typeorm_\d+)$/,
};

/**
 * Refuses what would take a session out of the subscriber's sight: transactions and savepoints that it is not
 * told of, and the settings that switch the tables' own triggers.
 * @throws {UndescribableWriteError}
 */
export function refuseSessionControl(sql: string, turn: Turn | undefined): void {
  if (turn && OWN_CONTROL[turn].test(sql)) return;
  if (controlsTransaction(sql)) {
    throw new UndescribableWriteError(
      'A statement that begins or ends a transaction or a savepoint',
      'the entity subscriber is not told of it',
      'Use DataRouter.transaction(), or transaction() of the manager for a savepoint.',
    );
  }
  if (CAPTURE_SETTING.test(sql) && SETS_CAPTURE.test(withoutComments(sql))) {
    throw new UndescribableWriteError(
      'A statement that changes how this session is captured',
      'what it writes afterwards would be journaled twice, or not at all',
      'Use a session of your own, with psql or a script.',
    );
  }
}

function controlsTransaction(sql: string): boolean {
  if (STARTS_WITH_CONTROL.test(sql)) return true;
  const mayHoldMore = sql.includes(';') || sql.includes('--') || sql.includes('/*');
  return mayHoldMore && HOLDS_CONTROL.test(withoutComments(sql));
}
