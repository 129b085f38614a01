import type { ClientBase } from 'pg';
import type {
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
import { ChangeBuffer } from './change-buffer.js';
import { foldChanges } from './described-change.js';
import { flushJournal } from './flush-journal.js';
import type { ReplicatedTable } from './replicated-tables.js';
import { UndescribableWriteError } from './undescribable-write.error.js';
import { WriteGuard } from './write-guard.js';

type RowEvent = UpdateEvent<ObjectLiteral> | RemoveEvent<ObjectLiteral>;

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
  private readonly flushed = new WeakSet<QueryRunner>();
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

  beforeQuery({ query, queryRunner }: BeforeQueryEvent): void {
    this.guard.check(query, this.buffers.get(queryRunner));
  }

  beforeInsert({ metadata, queryRunner }: InsertEvent<ObjectLiteral>): void {
    if (this.isReplicated(metadata)) this.announce(metadata.tableName, queryRunner);
  }

  afterInsert({ metadata, queryRunner, entity }: InsertEvent<ObjectLiteral>): void {
    if (!this.isReplicated(metadata)) return;
    this.buffers
      .get(queryRunner)
      ?.describe({ table: metadata.tableName, id: idOf(metadata, entity), op: 'insert' });
  }

  beforeUpdate(event: UpdateEvent<ObjectLiteral>): Promise<void> | void {
    return this.announceRow(event, 'an update by criteria does not tell which rows it changes');
  }

  afterUpdate(event: UpdateEvent<ObjectLiteral>): void {
    this.describeRow(event, 'update');
  }

  beforeRemove(event: RemoveEvent<ObjectLiteral>): Promise<void> | void {
    return this.announceRow(event, 'a delete by criteria does not tell which rows it removes');
  }

  afterRemove(event: RemoveEvent<ObjectLiteral>): void {
    this.describeRow(event, 'remove');
  }

  beforeSoftRemove(event: SoftRemoveEvent<ObjectLiteral>): Promise<void> | void {
    return this.announceRow(event, 'a soft delete by criteria does not tell which rows it changes');
  }

  afterSoftRemove(event: SoftRemoveEvent<ObjectLiteral>): void {
    this.describeRow(event, 'update');
  }

  beforeRecover(event: RecoverEvent<ObjectLiteral>): Promise<void> | void {
    return this.announceRow(event, 'a restore by criteria does not tell which rows it changes');
  }

  afterRecover(event: RecoverEvent<ObjectLiteral>): void {
    this.describeRow(event, 'update');
  }

  afterTransactionStart({ queryRunner }: TransactionStartEvent): void {
    const buffer = this.buffers.get(queryRunner) ?? new ChangeBuffer();
    this.buffers.set(queryRunner, buffer);
    buffer.begin();
  }

  /** Also fires when a savepoint is released; only the outermost commit flushes. */
  async beforeTransactionCommit({ queryRunner }: TransactionCommitEvent): Promise<void> {
    const buffer = this.buffers.get(queryRunner);
    if (buffer?.depth !== 1) return;
    const changes = foldChanges(buffer.changes);
    if (changes.length === 0) return;
    const client = (await queryRunner.connect()) as ClientBase;
    const { appended } = await flushJournal(client, this.tables, changes, changeContextOf(queryRunner));
    if (appended > 0) this.flushed.add(queryRunner);
  }

  afterTransactionCommit({ queryRunner }: TransactionCommitEvent): void {
    this.buffers.get(queryRunner)?.release();
    if (queryRunner.isTransactionActive || !this.flushed.delete(queryRunner)) return;
    this.committed();
  }

  afterTransactionRollback({ queryRunner }: TransactionRollbackEvent): void {
    this.buffers.get(queryRunner)?.rollback();
    if (!queryRunner.isTransactionActive) this.flushed.delete(queryRunner);
  }

  private isReplicated(metadata: EntityMetadata): boolean {
    return this.tables.has(metadata.tableName);
  }

  private announce(table: string, queryRunner: QueryRunner): void {
    const buffer = this.buffers.get(queryRunner);
    if (!queryRunner.isTransactionActive || !buffer?.depth) {
      throw new UndescribableWriteError(
        table,
        'it runs outside a transaction, so the row would stay when its journal entry fails',
        'Run it inside DataRouter.transaction(), or use save().',
      );
    }
    buffer.announce(table);
  }

  private announceRow(event: RowEvent, problem: string): Promise<void> | void {
    const { metadata, queryRunner } = event;
    if (!this.isReplicated(metadata)) return;
    const table = metadata.tableName;
    const id = rowIdOf(event);
    if (!id)
      throw new UndescribableWriteError(table, problem, 'Load the entities and use save() or remove().');
    this.announce(table, queryRunner);
    return this.rememberBefore(queryRunner, table, id);
  }

  private async rememberBefore(queryRunner: QueryRunner, table: string, id: string): Promise<void> {
    const row = await beforeImage(queryRunner, table, id);
    if (row === undefined) return;
    const images = this.before.get(queryRunner) ?? new Map<string, string>();
    this.before.set(queryRunner, images.set(`${table} ${id}`, row));
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
    if (before === undefined) buffer?.settle(table);
    else buffer?.describe({ table, id, op, before });
  }
}

/**
 * The id of the row, which only save() and remove() know: the builders pass the values that they set, or
 * nothing. Of a row that is gone, nothing is loaded; remove() still tells what it was asked to remove.
 */
function rowIdOf({ metadata, databaseEntity, ...event }: RowEvent): string | undefined {
  const loaded = databaseEntity as ObjectLiteral | undefined;
  if (loaded) return idOf(metadata, loaded);
  const removed: unknown = 'entityId' in event ? event.entityId : undefined;
  return typeof removed === 'string' ? removed.toLowerCase() : undefined;
}

function idOf(metadata: EntityMetadata, entity: ObjectLiteral | undefined): string {
  const id: unknown = entity && metadata.primaryColumns[0]?.getEntityValue(entity);
  if (typeof id === 'string') return id.toLowerCase();
  throw new UndescribableWriteError(
    metadata.tableName,
    'the row has no id yet',
    'Give every new entity its id.',
  );
}
