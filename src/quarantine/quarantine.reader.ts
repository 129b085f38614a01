import { Injectable } from '@nestjs/common';
import type { Principal } from '../accounts/principal.js';
import { answeredByCentral } from '../http/central-patience.js';
import { encodeCursor, readCursor } from '../http/page.js';
import { IN_QUARANTINE } from '../journal/quarantined-lanes.js';
import { DataRouter } from '../routing/data-router.js';
import type { QuarantinedDto, QuarantinePage, QuarantineQuery } from './quarantine.dto.js';

/** $1 state, $2 patient, $3 region of the caller; absent ones do not filter. */
const WANTED = `
  (state = $1 OR ($1::text IS NULL AND ${IN_QUARANTINE}))
  AND ($2::uuid IS NULL OR patient_id = $2) AND ($3::text IS NULL OR origin = $3)`;

const LIST = `
  SELECT id, state, code, message, attempts, held_at AS "heldAt", last_attempt_at AS "lastAttemptAt", origin,
         origin_seq AS "originSeq", entity, entity_id AS "entityId", patient_id AS "patientId", op,
         ARRAY(SELECT jsonb_object_keys(coalesce(after, before)) ORDER BY 1) AS fields, actor,
         actor_name AS "actorName", at, decided_at AS "decidedAt", decided_by_name AS "decidedBy",
         decision_reason AS "decisionReason"
  FROM quarantine WHERE ${WANTED} AND id > $4 ORDER BY id LIMIT $5`;

/** What central could not apply, oldest first. Regional callers see what their region made. */
@Injectable()
export class QuarantineReader {
  constructor(private readonly router: DataRouter) {}

  /** A line to central that has gone half open must not keep the caller waiting. */
  list(caller: Principal, query: QuarantineQuery): Promise<QuarantinePage> {
    return answeredByCentral(() => this.read(caller, query));
  }

  private async read({ region }: Principal, query: QuarantineQuery): Promise<QuarantinePage> {
    const { state, patientId, cursor, limit, total } = query;
    const wanted = [state ?? null, patientId ?? null, region];
    const after = cursor === undefined ? '0' : readCursor(cursor, ['bigint'])[0];
    const source = this.router.centralSource();
    const rows = await source.query<QuarantinedDto[]>(LIST, [...wanted, after, limit + 1]);
    const items = rows.slice(0, limit);
    const nextCursor = rows.length > limit ? encodeCursor([items.at(-1)!.id]) : null;
    if (!total) return { items, nextCursor };
    const counted = await source.query<{ total: number }[]>(
      `SELECT count(*)::int AS total FROM quarantine WHERE ${WANTED}`,
      wanted,
    );
    return { items, nextCursor, total: counted[0]!.total };
  }
}
