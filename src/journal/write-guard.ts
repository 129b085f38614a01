import type { ChangeBuffer } from './change-buffer.js';
import { UndescribableWriteError } from './undescribable-write.error.js';

const WRITES = String.raw`insert\s+into|update(?:\s+only)?|delete\s+from(?:\s+only)?|merge\s+into(?:\s+only)?|truncate(?:\s+table)?(?:\s+only)?|copy`;
const REMEDY =
  'Load the entities and use save() or remove(), or insert() inside a transaction; see docs/replication.md, "Capture".';

/**
 * Refuses SQL that writes to a replicated table without the subscriber having been told of it: raw
 * queries, upserts, builders with listeners switched off. On the application's own connections the
 * tables' capture triggers are silent, so nothing else would journal it.
 */
export class WriteGuard {
  private readonly target: RegExp;

  constructor(tables: readonly string[]) {
    this.target = new RegExp(
      String.raw`\b(?:${WRITES})\s+(?:"?\w+"?\s*\.\s*)?"?(${tables.join('|')})"?(?![\w"])`,
      'i',
    );
  }

  /** @throws {UndescribableWriteError} when `sql` must not run */
  check(sql: string, buffer: ChangeBuffer | undefined): void {
    const table = this.target.exec(sql)?.[1];
    if (table === undefined) return;
    if (!buffer?.isAnnounced(table) || !isTypeOrmStatement(sql, table)) {
      throw new UndescribableWriteError(table, 'the statement goes round the entity subscriber', REMEDY);
    }
    if (/\bON CONFLICT\b/.test(sql)) {
      throw new UndescribableWriteError(
        table,
        'an upsert does not tell which rows it inserted or changed',
        REMEDY,
      );
    }
  }
}

/** The three forms in which TypeORM itself writes the rows that it has just announced. */
function isTypeOrmStatement(sql: string, table: string): boolean {
  return [`INSERT INTO "${table}"(`, `UPDATE "${table}" SET `, `DELETE FROM "${table}" WHERE `].some((form) =>
    sql.startsWith(form),
  );
}
