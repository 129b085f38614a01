import { Injectable } from '@nestjs/common';
import type { Principal } from '../../accounts/principal.js';
import { encodeCursor, type Page, type PageQuery, readCursor } from '../../http/page.js';
import { Problem } from '../../http/problem.js';
import { DataRouter } from '../../routing/data-router.js';
import { Conflict } from '../conflict.entity.js';
import { knownFields } from '../conflict-view.js';
import { Disputables } from '../disputable.js';
import type { NotificationDto } from './notification.dto.js';
import { overruledOf } from './overruled.js';

/** When it was decided: by a person, or by a policy as it was recorded. */
const AT = 'coalesce(c.decided_at, c.created_at)';
const OF_ACCOUNT = `c.state = 'resolved' AND conflict_overruled(c.kind, c.fields, c.decisions) @> ARRAY[CAST(:account AS text)]`;
/** A decision after the one that was read is news. */
const READING = `(SELECT r.read_at FROM notification_readings r
  WHERE r.account_id = CAST(CAST(:account AS text) AS uuid) AND r.conflict_id = c.id AND r.of_decision = ${AT})`;

const READ = `
  INSERT INTO notification_readings (account_id, conflict_id, of_decision, read_at)
  VALUES ($1, $2, $3, clock_timestamp())
  ON CONFLICT (account_id, conflict_id) DO UPDATE
  SET of_decision = excluded.of_decision, read_at = excluded.read_at
  WHERE notification_readings.of_decision <> excluded.of_decision`;

interface RawNotification {
  readonly at: Date;
  readonly cursor: string;
  readonly readAt: Date | null;
}

/** What an account is to know: values that it had set, and that are not in force. Read off the decided conflicts. */
@Injectable()
export class Notifications {
  constructor(
    private readonly router: DataRouter,
    private readonly disputables: Disputables,
  ) {}

  /** The newest first. */
  async list(caller: Principal, { limit, cursor, total }: PageQuery): Promise<Page<NotificationDto>> {
    const own = this.ofAccount(caller);
    const count = total ? { total: await own.clone().getCount() } : {};
    if (cursor !== undefined) {
      const [at, id] = readCursor(cursor, ['timestamptz', 'uuid']);
      own.andWhere(`(${AT}, c.id) < (CAST(:at AS timestamptz), CAST(:id AS uuid))`, { at, id });
    }
    own
      .addOrderBy('at', 'DESC')
      .addOrderBy('c.id', 'DESC')
      .limit(limit + 1);
    const { entities, raw } = await own.getRawAndEntities<RawNotification>();
    const items = entities.slice(0, limit).map((conflict, index) => this.view(conflict, raw[index]!, caller));
    const last = entities.length > limit ? raw[limit - 1] : undefined;
    return { items, nextCursor: last ? encodeCursor([last.cursor, items.at(-1)!.id]) : null, ...count };
  }

  /** Marks one as read; again changes nothing. Throws a 404 Problem for one that is not the caller's. */
  async read(caller: Principal, id: string): Promise<NotificationDto> {
    const unread = await this.one(caller, id);
    await this.router.home.query(READ, [caller.id, id, unread.at]);
    return this.one(caller, id);
  }

  private async one(caller: Principal, id: string): Promise<NotificationDto> {
    const own = this.ofAccount(caller).andWhere('c.id = :id', { id });
    const { entities, raw } = await own.getRawAndEntities<RawNotification>();
    const [conflict, row] = [entities[0], raw[0]];
    if (!conflict || !row) throw new Problem(404, 'not-found', 'There is no such notification');
    return this.view(conflict, row, caller);
  }

  private ofAccount({ id: account }: Principal) {
    return this.router
      .forRead(Conflict)
      .createQueryBuilder('c')
      .addSelect(AT, 'at')
      .addSelect(`(${AT})::text`, 'cursor')
      .addSelect(READING, 'readAt')
      .where(OF_ACCOUNT, { account });
  }

  private view(conflict: Conflict, { at, readAt }: RawNotification, caller: Principal): NotificationDto {
    const { id, patientId, decidedByName, reason, outcome } = conflict;
    const table = this.disputables.get(conflict.entity);
    const readable = table?.readableBy(caller.role) ?? [];
    const visible = knownFields(conflict, table).filter(({ property }) => readable.includes(property));
    const overruled = overruledOf(conflict, visible, caller.id);
    return { id, at, conflictId: id, patientId, ...overruled, decidedByName, reason, outcome, readAt };
  }
}
