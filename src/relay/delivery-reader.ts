import type { ClientBase } from 'pg';
import {
  type CopiedRow,
  type Copy,
  DELIVERED_COLUMNS,
  type DeliveredEntry,
  type Delivery,
} from '../journal/delivery.js';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import { statementName } from '../journal/statement-name.js';
import { Fence } from './fence.js';
import { readIntact } from './read-intact.js';
import { lastWhole, type Pending } from './whole-change-sets.js';

/** How far a region has applied central's journal. */
export interface DownCursor {
  readonly incarnation: number;
  readonly seq: number;
}

/** Walks what central's journal holds for one region, a delivery at a time. Reads at central. */
export class DeliveryReader {
  private readonly fence: Fence;
  private position: number;

  constructor(
    private readonly client: ClientBase,
    private readonly tables: ReadonlyMap<string, ReplicatedTable>,
    private readonly region: string,
    private readonly cursor: DownCursor,
  ) {
    this.fence = new Fence(client);
    this.position = cursor.seq;
  }

  /**
   * The next delivery, of about `limit` entries. `undefined`: there is nothing, or a transaction that is still running
   * may fill a position before it.
   */
  async next(limit: number): Promise<Delivery | undefined> {
    if (!(await this.anything())) return undefined;
    const whole = await this.fence.look();
    if (whole <= this.position) return undefined;
    await this.client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const delivery = await this.read(limit, whole);
    await this.client.query('COMMIT');
    return delivery;
  }

  /** A patient's whole file as central has it now (`null`: what belongs to everyone), with what led up to it. */
  async fetch(patientId: string | null): Promise<Delivery> {
    await this.client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const copy = await this.copyOf(patientId, this.position + 1);
    const incorporated = await this.incorporated();
    await this.client.query('COMMIT');
    const { incarnation } = this.cursor;
    const here = { incarnation, after: this.position, through: this.position };
    return { ...here, incorporated, overtaken: {}, entries: [], copies: [copy] };
  }

  private async anything(): Promise<boolean> {
    const { rowCount } = await this.client.query({
      name: 'delivery-anything',
      text: 'SELECT FROM deliveries WHERE region = $1 AND seq > $2 LIMIT 1',
      values: [this.region, this.position],
    });
    return rowCount !== 0;
  }

  private async read(limit: number, whole: number): Promise<Delivery | undefined> {
    const page = await this.page(limit, whole);
    const through = lastWhole(page, page.length < limit ? whole : page.at(-1)!.seq);
    // A change set that is larger than the page is read whole; one that goes on behind the fence is waited for.
    if (through === undefined) return page.length < limit ? undefined : this.read(limit * 2, whole);
    const entries = await this.entries(page.filter(({ seq }) => seq <= through));
    const copies = await this.copies(entries);
    const after = this.position;
    this.position = through;
    return {
      incarnation: this.cursor.incarnation,
      after,
      through,
      incorporated: await this.incorporated(),
      overtaken: await this.overtaken(entries, through),
      entries,
      copies,
    };
  }

  private async page(limit: number, whole: number): Promise<Pending[]> {
    const rows = await this.ask<{ seq: number; ends: number }>({
      name: 'delivery-page',
      text: `SELECT page.seq, (SELECT max(same.seq) FROM deliveries same
                               WHERE same.region = $1 AND same.change_set = page.change_set) AS ends
             FROM (SELECT seq, change_set FROM deliveries
                   WHERE region = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4) page
             ORDER BY page.seq`,
      values: [this.region, this.position, whole, limit],
    });
    return rows.map(({ seq, ends }) => ({ seq, setEnds: ends }));
  }

  private async entries(page: readonly Pending[]): Promise<DeliveredEntry[]> {
    return this.ask<DeliveredEntry>({
      name: 'delivery-entries',
      text: `SELECT ${DELIVERED_COLUMNS} FROM journal WHERE journal.seq = ANY($1) ORDER BY journal.seq`,
      values: [page.map(({ seq }) => seq)],
    });
  }

  private async incorporated(): Promise<number> {
    const [cursor] = await this.ask<{ seq: number }>({
      name: 'delivery-incorporated',
      text: 'SELECT seq FROM replication_cursors WHERE origin = $1',
      values: [this.region],
    });
    return cursor?.seq ?? 0;
  }

  /** Where pages are small beside what has happened, people must not see what was there before their own changes. */
  private async overtaken(
    entries: readonly DeliveredEntry[],
    through: number,
  ): Promise<Record<string, number>> {
    const patients = new Set(entries.flatMap(({ patient_id: id }) => id ?? []));
    const rows = await this.ask<{ id: string; first: number }>({
      name: 'delivery-overtaken',
      text: `SELECT patient_id AS id, min(origin_seq) AS first FROM journal
             WHERE patient_id = ANY($1) AND seq > $2 AND origin = $3 GROUP BY 1`,
      values: [[...patients], through, this.region],
    });
    return Object.fromEntries(rows.map(({ id, first }) => [id, first]));
  }

  private async copies(entries: readonly DeliveredEntry[]): Promise<Copy[]> {
    const copies: Copy[] = [];
    for (const entry of entries) {
      if (entry.op !== 'insert') continue;
      const after = JSON.parse(entry.after ?? '{}') as { region?: string; kind?: string; code?: string };
      const isHost = entry.entity === 'hosts' && after.region === this.region && after.kind === 'copy';
      if (isHost) copies.push(await this.copyOf(entry.patient_id, Number(entry.seq)));
      const isRegion = entry.entity === 'regions' && after.code === this.region;
      if (isRegion) copies.push(await this.copyOf(null, Number(entry.seq)));
    }
    return copies;
  }

  /** As it is now, which may be later than the entry at `seq`: what comes in between is laid over it once more. */
  private async copyOf(patientId: string | null, seq: number): Promise<Copy> {
    const rows: CopiedRow[] = [];
    for (const { name, compartment } of this.tables.values()) {
      if ((compartment === null) !== (patientId === null)) continue;
      const found = await this.ask<CopiedRow>({
        name: statementName('delivery-copy', [name]),
        text: `SELECT '${name}' AS table, t.id, to_jsonb(t)::text AS row FROM "${name}" t
               WHERE ${compartment === null ? '$1::uuid IS NULL' : `t."${compartment}" = $1`} ORDER BY t.id`,
        values: [patientId],
      });
      rows.push(...found);
    }
    return { seq, patientId, rows, history: patientId === null ? [] : await this.history(patientId, seq) };
  }

  private async history(patientId: string, before: number): Promise<DeliveredEntry[]> {
    return this.ask<DeliveredEntry>({
      name: 'delivery-history',
      text: `SELECT ${DELIVERED_COLUMNS} FROM journal
             WHERE patient_id = $1 AND journal.seq < $2 AND origin <> $3 ORDER BY journal.seq`,
      values: [patientId, before, this.region],
    });
  }

  private ask<T extends object>(question: { name?: string; text: string; values: unknown[] }): Promise<T[]> {
    return readIntact<T>(this.client, { ...question, after: this.position });
  }
}
