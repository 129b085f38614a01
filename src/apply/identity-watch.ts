import type { ClientBase } from 'pg';
import type { DisputedSide } from '../conflicts/disputed-fields.js';
import { IN_QUARANTINE } from '../journal/quarantined-lanes.js';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import { recordConflicts } from './record-conflict.js';

/** Entries that are searched in one transaction, at most. */
const STRETCH = 20_000;

/** A record that was given a value which another record has, and only one may have. */
interface Clash {
  readonly entityId: string;
  readonly patientId: string | null;
  readonly value: unknown;
  readonly base: unknown;
  readonly one: Author;
  readonly otherId: string;
  readonly other: Author;
}

/** As the journal has it. */
interface Author {
  readonly origin: string;
  readonly at: string;
  readonly actor: string;
  readonly actorName: string | null;
  readonly role: string | null;
}

export interface Watched {
  /** Identity conflicts that were opened. */
  readonly opened: number;
  /** Whether everything up to `whole` has been searched. */
  readonly done: boolean;
}

/**
 * Finds records that two regions gave the same identifier while apart, and opens a conflict for each pair. It
 * follows central's journal behind the appliers, up to where it is certain to be whole (`whole`): two regions that
 * are applied at the same moment do not see each other's rows, and a lock for each identifier would make all
 * regions wait for each other. In a transaction of its own on `client`; one process at a time.
 */
export async function watchIdentities(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  whole: number,
): Promise<Watched> {
  await client.query('BEGIN');
  const { rows } = await client.query<{ seq: string }>(
    'SELECT seq FROM identity_watch FOR UPDATE SKIP LOCKED',
  );
  const through = rows[0] && Math.min(whole, Number(rows[0].seq) + STRETCH);
  let opened = 0;
  if (rows[0] && through! > Number(rows[0].seq)) {
    opened = await search(client, tables, Number(rows[0].seq), through!);
    await client.query('UPDATE identity_watch SET seq = $1', [through]);
  }
  await client.query('COMMIT');
  return { opened, done: through === undefined || through >= whole };
}

async function search(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  after: number,
  through: number,
): Promise<number> {
  let opened = 0;
  for (const table of tables.values()) {
    const unique = [...table.rules].flatMap(([column, rule]) => (rule.unique ? column : []));
    for (const column of unique) {
      for (const clash of await clashesOf(client, table, column, after, through)) {
        await record(client, tables, table, column, clash);
        opened += 1;
      }
    }
  }
  return opened;
}

const AUTHOR = (entry: string) =>
  `jsonb_build_object('origin', ${entry}.origin, 'at', ${entry}.at, 'actor', ${entry}.actor,
     'actorName', ${entry}.actor_name, 'role', ${entry}.role)`;

/**
 * Each pair once: of the two, the record that was given the value later is the one in question. Not where the other one's
 * removal has yet to come, out of quarantine: who gave the value again had seen the other go.
 */
async function clashesOf(
  client: ClientBase,
  { name }: ReplicatedTable,
  column: string,
  after: number,
  through: number,
): Promise<Clash[]> {
  const { rows } = await client.query<Clash>(
    `SELECT DISTINCT ON (t.id, other.id) t.id AS "entityId", j.patient_id AS "patientId", to_jsonb(t."${column}") AS value,
            j.before::jsonb -> '${column}' AS base, ${AUTHOR('j')} AS one, other.id AS "otherId", ${AUTHOR('given')} AS other
     FROM journal j
     JOIN "${name}" t ON t.id = j.entity_id AND t."${column}" = j.after::jsonb ->> '${column}'
     JOIN "${name}" other ON other."${column}" = t."${column}" AND other.id <> t.id
     CROSS JOIN LATERAL (
       SELECT g.* FROM journal g
       WHERE g.patient_id = other.id AND g.entity_id = other.id AND g.after::jsonb ? '${column}'
       ORDER BY g.seq DESC LIMIT 1) given
     WHERE j.seq > $1 AND j.seq <= $2 AND j.entity = '${name}' AND j.op <> 'noop' AND given.seq < j.seq
       AND NOT EXISTS (SELECT FROM quarantine q WHERE q.${IN_QUARANTINE} AND q.lane = other.id AND q.op = 'remove')
       AND NOT EXISTS (SELECT FROM conflicts c WHERE c.kind = 'identity' AND c.state = 'open'
                       AND (c.entity_id, c.other_id) IN ((t.id, other.id), (other.id, t.id)))
     ORDER BY t.id, other.id, j.seq`,
    [after, through],
  );
  return rows;
}

function record(
  client: ClientBase,
  tables: ReadonlyMap<string, ReplicatedTable>,
  { name }: ReplicatedTable,
  column: string,
  { entityId, patientId, value, base, one, otherId, other }: Clash,
): Promise<void> {
  const side = ({ origin, at, ...author }: Author): DisputedSide => ({
    value,
    ...author,
    at: new Date(at).toISOString(),
    node: origin,
  });
  const fields = {
    [column]: { base: base ?? null, regional: side(one), central: side(other), kept: 'both' as const },
  };
  const draft = { kind: 'identity', severity: 'high', outcome: null, fields, otherId } as const;
  const disputed = { entity: name, entityId, patientId, origin: one.origin, before: null };
  return recordConflicts(client, tables, [{ record: disputed, draft }]);
}
