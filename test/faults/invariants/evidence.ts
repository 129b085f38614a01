import type { Book, Values, Write } from '../book.js';
import { withSession, type World } from '../world.js';

/** A journal entry, as plain SQL reads it. Positions fit into a number. */
export interface Entry {
  readonly seq: number;
  readonly origin: string;
  readonly originSeq: number;
  readonly incarnation: number;
  readonly changeSet: string;
  readonly changeSetSize: number;
  readonly entity: string;
  readonly entityId: string;
  readonly patientId: string | null;
  readonly op: string;
  readonly before: Values | null;
  readonly after: Values | null;
  readonly actor: string;
  readonly reason: string | null;
  readonly requestId: string | null;
  readonly at: Date;
  readonly capturedBy: string;
}

/** What one database holds, in one snapshot. */
export interface Holding {
  /** Region code, or `central`. */
  readonly node: string;
  /** In the order of `seq`. */
  readonly journal: readonly Entry[];
  /** Every replicated row, by table and id. */
  readonly rows: ReadonlyMap<string, Values>;
  /** How far other nodes' journals have been applied, by origin. */
  readonly cursors: ReadonlyMap<string, number>;
  /** At central: the positions of its journal that are to go down to each region. */
  readonly deliveries: ReadonlyMap<string, ReadonlySet<number>>;
  /** Entries that wait for a person. They have no `seq` of this node. */
  readonly held: readonly HeldEntry[];
}

export interface HeldEntry extends Omit<Entry, 'seq'> {
  readonly lane: string;
  /** `refused`, or `waiting` behind one that was. */
  readonly state: string;
  /** Why it was refused. */
  readonly code: string | null;
  readonly message: string | null;
}

/** All that the invariants judge. */
export interface Evidence {
  readonly book: Pick<Book, 'writes' | 'unexpected'>;
  readonly regions: readonly Holding[];
  readonly central: Holding;
}

const COLUMNS = `origin, origin_seq::float8 AS "originSeq", incarnation, change_set::text AS "changeSet",
  change_set_size AS "changeSetSize", entity, entity_id AS "entityId", patient_id AS "patientId", op, before, after,
  actor, reason, request_id AS "requestId", at, captured_by AS "capturedBy"`;

/** The tables that are replicated, asked of the database: they carry the capture's trigger. */
const TABLES = `
  SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'journal_stage_insert' ORDER BY 1`;

const CENTRAL_NODE = 'central';

export async function gatherEvidence(world: World, book: Book): Promise<Evidence> {
  const [central, ...regions] = await Promise.all([
    holdingOf(CENTRAL_NODE, world.centralUrl),
    ...world.regions.map(({ code, databaseUrl }) => holdingOf(code, databaseUrl)),
  ]);
  return { book, central, regions };
}

export function holdingOf(node: string, url: string): Promise<Holding> {
  return withSession(url, async (session) => {
    await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const ask = async <T extends object>(sql: string) => (await session.query<T>(sql)).rows;
    const rows = new Map<string, Values>();
    for (const { name } of await ask<{ name: string }>(TABLES))
      for (const { id, row } of await ask<{ id: string; row: Values }>(
        `SELECT t.id, to_jsonb(t) AS row FROM ${name} t`,
      ))
        rows.set(keyOf(name, id), row);
    const cursors = await ask<{ origin: string; seq: number }>(
      'SELECT origin, seq::float8 AS seq FROM replication_cursors',
    );
    return {
      node,
      rows,
      deliveries: node === CENTRAL_NODE ? await deliveriesOf(ask) : new Map(),
      journal: await ask<Entry>(`SELECT seq::float8 AS seq, ${COLUMNS} FROM journal ORDER BY journal.seq`),
      cursors: new Map(cursors.map(({ origin, seq }) => [origin, seq])),
      held: await ask<HeldEntry>(
        `SELECT lane, state, code, message, ${COLUMNS} FROM quarantine WHERE state IN ('refused', 'waiting') ORDER BY id`,
      ),
    };
  });
}

async function deliveriesOf(ask: <T extends object>(sql: string) => Promise<T[]>) {
  const rows = await ask<{ region: string; seqs: number[] }>(
    'SELECT region, array_agg(seq::float8) AS seqs FROM deliveries GROUP BY region',
  );
  return new Map(rows.map(({ region, seqs }) => [region, new Set(seqs)]));
}

export const keyOf = (entity: string, id: string) => `${entity} ${id}`;
export const recordOf = ({ entity, entityId }: Pick<Entry, 'entity' | 'entityId'>) => keyOf(entity, entityId);

/** One change, wherever a copy of its entry is. */
export const changeOf = ({
  origin,
  incarnation,
  originSeq,
}: Pick<Entry, 'origin' | 'incarnation' | 'originSeq'>) => `${origin}/${incarnation}/${originSeq}`;

/** One transaction, wherever copies of its entries are. */
export const setOf = ({
  origin,
  incarnation,
  changeSet,
}: Pick<Entry, 'origin' | 'incarnation' | 'changeSet'>) => `${origin}/${incarnation}/set ${changeSet}`;

/** The node's own changes. */
export const ownEntries = ({ journal, node }: Holding) => journal.filter(({ origin }) => origin === node);

export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

/** Finds the entries that a write has left in its region's journal. */
export function entryFinder(region: Holding): (write: Write) => Entry[] {
  const own = ownEntries(region);
  const byRequest = groupBy(own, ({ requestId }) => requestId ?? '');
  const byNotes = groupBy(own, ({ after }) => String(after?.notes));
  const removals = own.filter(({ op, capturedBy }) => op === 'remove' && capturedBy === 'database');
  return (write) => {
    if (write.through === 'application') return byRequest.get(write.id) ?? [];
    if (write.op === 'remove')
      return removals.filter((entry) => write.records.includes(entry.entityId) && isOfTime(write, entry));
    return byNotes.get(write.id) ?? [];
  };
}

/** What psql removes carries no mark: another may have removed what this one could not, before or after. */
function isOfTime({ begun, ended, outcome }: Write, { at }: Entry): boolean {
  // Both clocks are the machine's; the database's is rounded to the millisecond.
  return at.getTime() >= begun - 1 && (outcome === 'unknown' || at.getTime() <= ended + 1);
}

/** Every write with its region's holding and what it left there. */
export function tracedWrites({ book, regions }: Evidence): { write: Write; entries: Entry[] }[] {
  const finders = new Map(regions.map((region) => [region.node, entryFinder(region)]));
  return book.writes.map((write) => ({ write, entries: finders.get(write.region)!(write) }));
}
