import type { ClientBase } from 'pg';
import type {
  AfterQueryEvent,
  BeforeQueryEvent,
  EntityMetadata,
  EntitySubscriberInterface,
  InsertEvent,
  ObjectLiteral,
  QueryRunner,
  RecoverEvent,
  RemoveEvent,
  SoftRemoveEvent,
  TransactionCommitEvent,
  TransactionRollbackEvent,
  TransactionStartEvent,
  UpdateEvent,
} from 'typeorm';
import { changeContextOf } from '../routing/change-context.js';
import { beforeImage } from './before-images.js';
import { ChangeBuffer, type Turn } from './change-buffer.js';
import { CommitRolledBackError } from './commit-rolled-back.error.js';
import { foldChanges, type WriteOp } from './described-change.js';
import { flushed, type Flushed, flushQuery } from './flush-journal.js';
import type { ReplicatedTable } from './replicated-tables.js';
import { idOf, rowIdOf, type RowEvent } from './row-id.js';
import { sendAhead } from '../databases/send-ahead.js';
import { UndescribableWriteError } from './undescribable-write.error.js';
import { WriteGuard } from './write-guard.js';

const AWAIT =
  'Await each write, save() or remove(), before the next, and let what it throws end the transaction.';

/**
 * Journals every change to a replicated entity, in the transaction that makes it.
 *
 * `before…` events announce a write, and refuse it when its rows are not told; `after…` events only
 * note it in memory, because a query there would run beside its siblings' and after a rollback. The
 * journal is written once, when the outermost transaction is about to commit.
 */
export class CaptureSubscriber implements EntitySubscriberInterface {
  private readonly tables: ReadonlyMap<string, ReplicatedTable>;
  private readonly guard: WriteGuard;
  private readonly buffers = new WeakMap<QueryRunner, ChangeBuffer>();
  /** Answers that the commit waits for: how many entries were appended. */
  private readonly flushing = new WeakMap<QueryRunner, Promise<number>>();
  /** Those whose COMMIT was answered so. */
  private readonly rolledBack = new WeakSet<QueryRunner>();
  /** Rows as they were when a write on them was announced. */
  private readonly before = new WeakMap<QueryRunner, Map<string, string>>();

  /** `committed` is called after each commit that appended to the journal. */
  constructor(
    tables: readonly ReplicatedTable[],
    private readonly committed: () => void,
  ) {
    this.tables = new Map(tables.map((table) => [table.name, table]));
    this.guard = new WriteGuard([...this.tables.keys()]);
  }

  beforeQuery({ query, parameters, queryRunner }: BeforeQueryEvent): void {
    const { length } = (parameters ?? []) as readonly unknown[];
    this.guard.check(query, length, this.buffers.get(queryRunner));
  }

  beforeInsert({ metadata, queryRunner, entity }: InsertEvent<ObjectLiteral>): void {
    if (!this.isReplicated(metadata)) return;
    idOf(metadata, entity);
    this.announce('insert', metadata.tableName, queryRunner);
  }

  afterInsert({ metadata, queryRunner, entity }: InsertEvent<ObjectLiteral>): void {
    if (!this.isReplicated(metadata)) return;
    const change = { table: metadata.tableName, id: idOf(metadata, entity), op: 'insert' } as const;
    this.buffers.get(queryRunner)?.describe(change, 'insert');
  }

  beforeUpdate(event: UpdateEvent<ObjectLiteral>): Promise<void> | void {
    return this.announceRow(event, 'update', 'an update by criteria does not tell which rows it changes');
  }

  afterUpdate(event: UpdateEvent<ObjectLiteral>): void {
    this.describeRow(event, 'update');
  }

  beforeRemove(event: RemoveEvent<ObjectLiteral>): Promise<void> | void {
    return this.announceRow(event, 'remove', 'a delete by criteria does not tell which rows it removes');
  }

  afterRemove(event: RemoveEvent<ObjectLiteral>): void {
    this.describeRow(event, 'remove');
  }

  beforeSoftRemove(event: SoftRemoveEvent<ObjectLiteral>): Promise<void> | void {
    return this.announceRow(event, 'update', 'a soft delete by criteria does not tell which rows it changes');
  }

  afterSoftRemove(event: SoftRemoveEvent<ObjectLiteral>): void {
    this.describeRow(event, 'update');
  }

  beforeRecover(event: RecoverEvent<ObjectLiteral>): Promise<void> | void {
    return this.announceRow(event, 'update', 'a restore by criteria does not tell which rows it changes');
  }

  afterRecover(event: RecoverEvent<ObjectLiteral>): void {
    this.describeRow(event, 'update');
  }

  beforeTransactionStart({ queryRunner }: TransactionStartEvent): void {
    this.turn(queryRunner, 'start');
  }

  /** A write of the level below would be told to the new one, and be forgotten with it. */
  afterTransactionStart({ queryRunner }: TransactionStartEvent): void {
    const buffer = this.turn(queryRunner, undefined);
    const { unsettled } = buffer;
    // Even so there is a level now: TypeORM answers the refusal with a rollback of it.
    buffer.begin();
    if (unsettled !== undefined)
      throw UndescribableWriteError.of(unsettled, 'a savepoint opens while it is under way', AWAIT);
  }

  /** Also fires when a savepoint is released; only the outermost commit flushes. */
  async beforeTransactionCommit({ queryRunner }: TransactionCommitEvent): Promise<void> {
    const buffer = this.turn(queryRunner, 'commit');
    if (buffer.depth !== 1) return;
    if (buffer.unsettled !== undefined)
      throw UndescribableWriteError.of(buffer.unsettled, 'no event has told how it ended', AWAIT);
    const changes = foldChanges(buffer.changes);
    if (changes.length === 0) return;
    const client = (await queryRunner.connect()) as ClientBase;
    const query = flushQuery(this.tables, changes, changeContextOf(queryRunner));
    const { answer, isSent } = sendAhead<Flushed>(client, query);
    const flushing = flushed(answer);
    // Whoever commits hears of its failure, unless the commit itself fails first.
    void Promise.allSettled([flushing]);
    this.flushing.set(queryRunner, flushing);
    // TypeORM sends the COMMIT next. Behind a statement that has failed, PostgreSQL answers it with a rollback.
    if (!isSent) await flushing;
  }

  /** TypeORM does not look at what a COMMIT is answered. */
  afterQuery({ query, rawResults, queryRunner }: AfterQueryEvent): void {
    if (query !== 'COMMIT') return;
    const { command } = (rawResults ?? {}) as { readonly command?: string };
    if (command === 'ROLLBACK') this.rolledBack.add(queryRunner);
  }

  async afterTransactionCommit({ queryRunner }: TransactionCommitEvent): Promise<void> {
    this.turn(queryRunner, undefined).release();
    if (queryRunner.isTransactionActive) return;
    const flushing = this.flushing.get(queryRunner);
    this.flushing.delete(queryRunner);
    const isRolledBack = this.rolledBack.delete(queryRunner);
    const appended = (await flushing) ?? 0;
    if (isRolledBack) throw new CommitRolledBackError();
    if (appended > 0) this.committed();
  }

  beforeTransactionRollback({ queryRunner }: TransactionRollbackEvent): void {
    this.turn(queryRunner, 'rollback');
  }

  afterTransactionRollback({ queryRunner }: TransactionRollbackEvent): void {
    this.turn(queryRunner, undefined).rollback();
    if (!queryRunner.isTransactionActive) this.flushing.delete(queryRunner);
  }

  private turn(queryRunner: QueryRunner, turn: Turn | undefined): ChangeBuffer {
    const buffer = this.buffers.get(queryRunner) ?? new ChangeBuffer();
    this.buffers.set(queryRunner, buffer);
    buffer.turn = turn;
    return buffer;
  }

  private isReplicated(metadata: EntityMetadata): boolean {
    return this.tables.has(metadata.tableName);
  }

  private announce(op: WriteOp, table: string, queryRunner: QueryRunner): void {
    const buffer = this.buffers.get(queryRunner);
    if (!queryRunner.isTransactionActive || !buffer?.depth) {
      throw UndescribableWriteError.of(
        table,
        'it runs outside a transaction, so the row would stay when its journal entry fails',
        'Run it inside DataRouter.transaction(), or use save().',
      );
    }
    buffer.announce(op, table);
  }

  private announceRow(event: RowEvent, op: WriteOp, problem: string): Promise<void> | void {
    const { metadata, queryRunner } = event;
    if (!this.isReplicated(metadata)) return;
    const table = metadata.tableName;
    const id = rowIdOf(event);
    if (!id)
      throw UndescribableWriteError.of(table, problem, 'Load the entities and use save() or remove().');
    this.announce(op, table, queryRunner);
    return this.rememberBefore(queryRunner, table, id);
  }

  private async rememberBefore(queryRunner: QueryRunner, table: string, id: string): Promise<void> {
    const row = await beforeImage(queryRunner, table, id);
    const images = this.before.get(queryRunner) ?? new Map<string, string>();
    this.before.set(queryRunner, images);
    // A savepoint that rolled back may have left an image, and its lock is gone with it.
    if (row === undefined) images.delete(`${table} ${id}`);
    else images.set(`${table} ${id}`, row);
  }

  private describeRow(event: RowEvent, op: 'update' | 'remove'): void {
    const { metadata, queryRunner } = event;
    if (!this.isReplicated(metadata)) return;
    const table = metadata.tableName;
    const id = rowIdOf(event);
    if (!id) return;
    const images = this.before.get(queryRunner);
    const before = images?.get(`${table} ${id}`);
    images?.delete(`${table} ${id}`);
    const buffer = this.buffers.get(queryRunner);
    // Without a row to lock, TypeORM's statement changed nothing.
    if (before === undefined) buffer?.settle(op, table);
    else buffer?.describe({ table, id, op, before }, op);
  }
}
