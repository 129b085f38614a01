import { Injectable } from '@nestjs/common';
import type { Principal } from '../accounts/principal.js';
import { isKnownIn } from '../hosts/known-in-region.js';
import { encodeCursor, readCursor } from '../http/page.js';
import { visibleChanges, type VisibleColumns } from '../patients/history/visible-columns.js';
import { DataRouter } from '../routing/data-router.js';
import { changedFields, type JournalRow, readableColumns } from './journal-columns.js';
import type { JournalEntry, JournalPage } from './journal.dto.js';
import type { JournalQuery } from './journal-query.dto.js';

interface EntryRow extends Omit<JournalEntry, 'seq' | 'originSeq' | 'fields' | 'changes'> {
  readonly seq: string;
  readonly originSeq: string;
  readonly before: JournalRow | null;
  readonly after: JournalRow | null;
}

/** The home of an entry's patient; of one who was removed, as it was then. */
const HOME = `coalesce(
  (SELECT p.region FROM patients p WHERE p.id = journal.patient_id),
  (SELECT gone.before ->> 'region' FROM journal gone
   WHERE gone.patient_id = journal.patient_id AND gone.entity_id = journal.patient_id AND gone.op = 'remove'
   ORDER BY gone.seq DESC LIMIT 1))`;

/** $1 to $8 the filters, $9 the caller's region; absent ones do not filter. */
const WANTED = `
  ($1::text IS NULL OR entity = $1) AND ($2::uuid IS NULL OR entity_id = $2)
  AND ($3::uuid IS NULL OR patient_id = $3) AND ($4::text IS NULL OR actor = $4)
  AND ($5::text IS NULL OR origin = $5) AND ($6::text IS NULL OR op = $6)
  AND ($7::timestamptz IS NULL OR at >= $7) AND ($8::timestamptz IS NULL OR at < $8)
  AND ($9::text IS NULL OR patient_id IS NULL OR ${isKnownIn('$9', { id: 'journal.patient_id', home: HOME })})`;

const TOTAL = `SELECT count(*)::int AS total FROM journal WHERE ${WANTED}`;

const entriesStatement = (order: 'ASC' | 'DESC') => `
  SELECT seq, origin, origin_seq AS "originSeq", incarnation, change_set::text AS "changeSet", entity,
         entity_id AS "entityId", patient_id AS "patientId", op, before, after, actor, actor_name AS "actorName", role,
         reason, request_id AS "requestId", at, captured_by AS "capturedBy"
  FROM journal WHERE ${WANTED} AND ($10::bigint IS NULL OR seq ${order === 'ASC' ? '>' : '<'} $10)
  ORDER BY seq ${order} LIMIT $11`;

/** The journal of this node, as the caller may read it. */
@Injectable()
export class NodeJournal {
  constructor(private readonly data: DataRouter) {}

  /**
   * Of patients whom `caller` may know of, and of what belongs to everyone. Values are those that the caller's role
   * reads; an auditor sees who changed which fields, and no patient's values.
   */
  async read(caller: Principal, query: JournalQuery): Promise<JournalPage> {
    const { limit, cursor, total, sort } = query;
    const { home } = this.data;
    const wanted = wantedBy(caller, query);
    const after = cursor === undefined ? null : readCursor(cursor, ['bigint'])[0];
    const statement = entriesStatement(sort === 'seq' ? 'ASC' : 'DESC');
    const rows = await home.query<EntryRow[]>(statement, [...wanted, after, limit + 1]);
    const columns = readableColumns(home.entityMetadatas, caller.role);
    const items = rows.slice(0, limit).map((row) => this.shown(row, columns));
    const [whole] = await home.query<{ since: Date | null }[]>('SELECT since FROM journal_retention');
    return {
      items,
      nextCursor: rows.length > limit ? encodeCursor([items.at(-1)!.seq]) : null,
      journalSince: whole?.since ?? null,
      ...(total && { total: (await home.query<[{ total: number }]>(TOTAL, wanted))[0].total }),
    };
  }

  private shown({ before, after, ...row }: EntryRow, columns: VisibleColumns): JournalEntry {
    const entity = this.data.home.entityMetadatas.find(({ tableName }) => tableName === row.entity);
    const readable = columns[row.entity];
    return {
      ...row,
      seq: Number(row.seq),
      originSeq: Number(row.originSeq),
      fields: changedFields(entity, before, after),
      changes: readable ? visibleChanges(readable, before, after) : {},
    };
  }
}

function wantedBy({ region }: Principal, query: JournalQuery): unknown[] {
  const { entity, entityId, patientId, actor, origin, op, since, until } = query;
  const filters = [entity, entityId, patientId, actor, origin, op, since, until];
  return [...filters.map((filter) => filter ?? null), region];
}
