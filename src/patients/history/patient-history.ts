import { Injectable } from '@nestjs/common';
import type { Principal } from '../../accounts/principal.js';
import { isAllowed, readableGroups } from '../../accounts/roles.js';
import { isKnownIn } from '../../hosts/known-in-region.js';
import { encodeCursor, type PageQuery, readCursor } from '../../http/page.js';
import { DataRouter } from '../../routing/data-router.js';
import { knownPatient, patientNotFound } from '../patient-access.js';
import { Patient } from '../patient.entity.js';
import type { HistoryEntry, HistoryPage } from './history.dto.js';
import { historySince } from './history-since.js';
import { visibleChanges, visibleColumns } from './visible-columns.js';

type Row = Readonly<Record<string, unknown>>;
type EntryRow = Omit<HistoryEntry, 'seq' | 'changes'> & {
  seq: string;
  before: Row | null;
  after: Row | null;
};

/** $1 patient, $2 visible columns by table. An update of hidden fields alone is hidden as a whole. */
const VISIBLE = `
  patient_id = $1 AND $2::jsonb ? entity
  AND (op <> 'update' OR coalesce(after, '{}') ?| ARRAY(SELECT jsonb_object_keys($2::jsonb -> entity)))`;

const ENTRIES = `
  SELECT seq, op, entity, entity_id AS "entityId", at, actor, actor_name AS "actorName", role, reason,
         request_id AS "requestId", origin, before, after
  FROM journal WHERE ${VISIBLE} AND seq > $3 ORDER BY seq LIMIT $4`;

const TOTAL = `SELECT count(*)::int AS total FROM journal WHERE ${VISIBLE}`;

/** $2 is the caller's region, null for one who sees all. */
const KNOWN_WHEN_DELETED = `
  SELECT $2::text IS NULL OR ${isKnownIn('$2', { id: '$1', home: `before ->> 'region'` })} AS known FROM journal
  WHERE patient_id = $1 AND entity_id = $1 AND op = 'remove' ORDER BY seq DESC LIMIT 1`;

/** The journal of one patient, as the caller may read it. */
@Injectable()
export class PatientHistory {
  constructor(private readonly data: DataRouter) {}

  /**
   * What happened to the patient and its records, oldest first. Of a deleted patient it tells those who
   * may delete. Throws a 404 Problem for others, and for a patient that `caller` may not know of.
   */
  async read(caller: Principal, id: string, { limit, cursor, total }: PageQuery): Promise<HistoryPage> {
    await this.refuseUnknown(caller, id);
    const columns = visibleColumns(this.data.home.entityMetadatas, readableGroups(caller.role));
    const visible = [id, JSON.stringify(columns)];
    const after = cursor === undefined ? '0' : readCursor(cursor, ['bigint'])[0];
    const rows = await this.data.home.query<EntryRow[]>(ENTRIES, [...visible, after, limit + 1]);
    const items = rows.slice(0, limit).map(({ before, after: now, ...entry }) => ({
      ...entry,
      seq: Number(entry.seq),
      changes: visibleChanges(columns[entry.entity]!, before, now),
    }));
    const nextCursor = rows.length > limit ? encodeCursor([items.at(-1)!.seq]) : null;
    return {
      items,
      nextCursor,
      historySince: await historySince(this.data.home, id),
      ...(total && { total: await this.count(visible) }),
    };
  }

  private async refuseUnknown(caller: Principal, id: string): Promise<void> {
    const { manager } = this.data.forRead(Patient);
    if (await knownPatient(manager, caller, id).getExists()) return;
    if (!isAllowed(caller.role, 'patients:delete')) throw patientNotFound();
    if (await manager.existsBy(Patient, { id })) throw patientNotFound();
    const values = [id, caller.region];
    const [deleted] = await this.data.home.query<{ known: boolean }[]>(KNOWN_WHEN_DELETED, values);
    if (!deleted?.known) throw patientNotFound();
  }

  private async count(visible: readonly string[]): Promise<number> {
    const [row] = await this.data.home.query<[{ total: number }]>(TOTAL, [...visible]);
    return row.total;
  }
}
