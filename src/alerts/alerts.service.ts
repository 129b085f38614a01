import { Injectable } from '@nestjs/common';
import type { Principal } from '../accounts/principal.js';
import { encodeCursor, readCursor } from '../http/page.js';
import { Problem } from '../http/problem.js';
import { DataRouter } from '../routing/data-router.js';
import { ALERTS, type AlertCode } from './alert-codes.js';
import type { AlertDto, AlertPage, AlertQuery } from './alert.dto.js';
import { raiseAlert, type RaisedAlert } from './raise-alert.js';

interface AlertRow {
  id: string;
  code: AlertCode;
  subject: string;
  count: string;
  first_at: Date;
  last_at: Date;
  acknowledged_at: Date | null;
  acknowledged_by_name: string | null;
}

/** Newest first, by when they began. */
const LIST = `
  SELECT * FROM alerts
  WHERE ($1::text IS NULL OR (acknowledged_at IS NULL) = ($1 = 'open'))
    AND ($2::timestamptz IS NULL OR (first_at, id) < ($2, $3::uuid))
  ORDER BY first_at DESC, id DESC LIMIT $4`;

const ACKNOWLEDGE = `
  UPDATE alerts SET acknowledged_at = coalesce(acknowledged_at, clock_timestamp()),
    acknowledged_by = coalesce(acknowledged_by, $2), acknowledged_by_name = coalesce(acknowledged_by_name, $3)
  WHERE id = $1 RETURNING *`;

/** What needs a person on this node. */
@Injectable()
export class Alerts {
  constructor(private readonly router: DataRouter) {}

  raise(alert: RaisedAlert): Promise<void> {
    return raiseAlert((sql, values) => this.router.home.query(sql, values), alert);
  }

  async list({ state, cursor, limit }: AlertQuery): Promise<AlertPage> {
    const [firstAt, id] = cursor === undefined ? [null, null] : readCursor(cursor, ['timestamptz', 'uuid']);
    const rows = await this.router.home.query<AlertRow[]>(LIST, [state ?? null, firstAt, id, limit + 1]);
    const items = rows.slice(0, limit).map(view);
    const last = items.at(-1);
    const nextCursor = rows.length > limit && last ? encodeCursor([cursorTime(last.firstAt), last.id]) : null;
    return { items, nextCursor };
  }

  /** A second acknowledgement changes nothing: the first one's name stays. */
  async acknowledge(id: string, by: Principal): Promise<AlertDto> {
    const [rows] = await this.router.home.query<[AlertRow[], number]>(ACKNOWLEDGE, [id, by.id, by.fullName]);
    if (!rows[0]) throw new Problem(404, 'not-found', 'There is no such alert');
    return view(rows[0]);
  }
}

/** PostgreSQL's own form, which is what cursors hold. */
const cursorTime = (at: Date) => at.toISOString().replace('T', ' ').replace('Z', '+00');

function view(row: AlertRow): AlertDto {
  const { severity, meaning, remedy } = ALERTS[row.code];
  return {
    id: row.id,
    code: row.code,
    severity,
    meaning,
    remedy,
    subject: row.subject,
    count: Number(row.count),
    firstAt: row.first_at,
    lastAt: row.last_at,
    acknowledgedAt: row.acknowledged_at,
    acknowledgedBy: row.acknowledged_by_name,
  };
}
