import type { ChangeBuffer } from './change-buffer.js';
import type { WriteOp } from './described-change.js';
import { refuseSessionControl } from './session-control.js';
import { withoutComments } from './sql-text.js';
import { UndescribableWriteError } from './undescribable-write.error.js';

/** What a statement that changes rows has in it, whatever its form. `FOR UPDATE` has one too. */
const WRITE_WORDS = 'insert|update|delete|merge|truncate|copy|alter|drop';
const MAY_WRITE = new RegExp(String.raw`\b(?:${WRITE_WORDS})\b`, 'i');
/** A name in Unicode escapes, which could be any table's. */
const ESCAPED_NAME = /\bU&"/i;

/** What a name that is not in quotes is made of. */
const NAME = String.raw`[\w$\u0080-\uffff]`;
const NOISE = String.raw`(?:\s*\b(?:into|from|only|table|if|exists)\b)*[\s(]*`;
const QUALIFIER = String.raw`(?:(?:"[^"]*"|${NAME}+)\s*\.\s*)*`;

const REMEDY =
  'Load the entities and use save() or remove(), or insert() inside a transaction, and await each before the ' +
  'next; see docs/replication.md, "Capture".';

/**
 * Refuses SQL that writes to a replicated table without the subscriber having been told of it: raw
 * queries, upserts, builders with listeners switched off. On the application's own connections the
 * tables' capture triggers are silent, so nothing else would journal it. It reads the text alone, and prefers to
 * refuse a statement that only looks like a write.
 */
export class WriteGuard {
  private readonly targets: readonly RegExp[];

  constructor(private readonly tables: readonly string[]) {
    const table = `(?:"|(?<!${NAME}))(${tables.join('|')})(?!${NAME})`;
    this.targets = [
      new RegExp(String.raw`\b(?:${WRITE_WORDS})\b${NOISE}${QUALIFIER}${table}`, 'i'),
      // These take lists.
      new RegExp(String.raw`\b(?:truncate|drop)\b[^;]*?${table}`, 'i'),
    ];
  }

  /**
   * Called for every statement that TypeORM sends, with the number of its parameters.
   * @throws {UndescribableWriteError} when it must not run
   */
  check(sql: string, parameters: number, buffer: ChangeBuffer | undefined): void {
    if (MAY_WRITE.test(sql)) this.checkWrite(sql, parameters, buffer);
    refuseSessionControl(sql, buffer?.turn);
  }

  private checkWrite(sql: string, parameters: number, buffer: ChangeBuffer | undefined): void {
    const table = this.target(sql);
    if (table === undefined) return;
    const own = this.typeOrmStatement(sql, table, parameters);
    if (!own || !buffer?.send(own.op, table, own.rows))
      throw UndescribableWriteError.of(table, 'the statement goes round the entity subscriber', REMEDY);
    if (/\bON CONFLICT\b/.test(sql)) {
      const problem = 'an upsert does not tell which rows it inserted or changed';
      throw UndescribableWriteError.of(table, problem, REMEDY);
    }
  }

  private target(sql: string): string | undefined {
    const text = withoutComments(sql);
    for (const target of this.targets) {
      const table = target.exec(text)?.[1];
      if (table !== undefined) return table.toLowerCase();
    }
    return ESCAPED_NAME.test(text) ? this.tables[0] : undefined;
  }

  /** The three forms in which TypeORM itself writes rows that it has just announced, and how many rows. */
  private typeOrmStatement(
    sql: string,
    table: string,
    parameters: number,
  ): { op: WriteOp; rows: number } | undefined {
    if (sql.startsWith(`INSERT INTO "${table}"(`)) return { op: 'insert', rows: sql.split('), (').length };
    if (sql.startsWith(`UPDATE "${table}" SET `)) return { op: 'update', rows: 1 };
    // Each row that remove() names is a parameter.
    if (sql.startsWith(`DELETE FROM "${table}" WHERE `))
      return { op: 'remove', rows: Math.max(1, parameters) };
    return undefined;
  }
}
