import pg from 'pg';
import { layOver } from '../../src/apply/apply-delivery.js';
import { receivingTables, receivingTablesOf } from '../../src/apply/receiving-tables.js';
import { SchemaAheadError } from '../../src/apply/refusal.js';
import { applyInSets } from '../../src/apply/stale-lanes.js';
import type { Ask } from '../../src/databases/ask.js';
import { DELIVERED_COLUMNS, type DeliveredEntry, type Delivery } from '../../src/journal/delivery.js';
import { replicatedTables } from '../../src/journal/replicated-tables.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { returnToCentral } from '../../src/relay/restored-central.js';
import { cloneDatabase, type TestDatabase } from '../harness/databases.js';
import { aPatient, type CapturedDatabase, openCapturedDatabase } from '../journal/captured-database.js';

/** What comes down from a central of a newer version. */
describe('a delivery that is ahead of this node', () => {
  let db: CapturedDatabase;
  let region: pg.Client;
  let entries: DeliveredEntry[];

  /** The entries that made two patients, as central would tell them to another region that has neither. */
  beforeEach(async () => {
    db = await openCapturedDatabase();
    region = db.outside;
    await db.source.getRepository(Patient).save(aPatient());
    await db.source.getRepository(Patient).save(aPatient());
    const { rows } = await region.query<DeliveredEntry>(
      `SELECT ${DELIVERED_COLUMNS} FROM journal ORDER BY journal.seq`,
    );
    entries = rows.map((entry) => ({ ...entry, origin: 'THS' }));
    await db.clear();
    await region.query(
      `INSERT INTO replication_cursors (origin, incarnation, seq, applied_at) VALUES ('central', 1, 0, now())`,
    );
  });
  afterEach(() => db.close());

  const tables = () => receivingTables(region, replicatedTables(db.source));
  const delivery = (fields: Partial<Delivery>): Delivery => ({
    incarnation: 1,
    after: 0,
    through: 9,
    incorporated: 0,
    overtaken: {},
    entries,
    copies: [],
    ...fields,
  });

  it('is not applied in part, whether it is of a newer version, an unknown table, or a copy with more columns', async () => {
    const [one] = entries;
    const patientId = one!.patient_id;
    const wider = JSON.stringify({ ...(JSON.parse(one!.after!) as object), language: 'wo' });
    const copies = [
      { seq: 1, patientId, rows: [{ table: 'patients', id: one!.entity_id!, row: wider }], history: [] },
    ];
    for (const told of [
      delivery({ entries: [{ ...one!, schema: '2' }] }),
      delivery({ entries: [{ ...one!, entity: 'inventions' }] }),
      delivery({ entries: [], copies }),
    ])
      await expect(layOver(region, await tables(), told)).rejects.toBeInstanceOf(SchemaAheadError);
    expect(await db.rows()).toEqual([]);
  });

  it('waits for the upgrade, to be fetched whole then; the other patients of it are applied', async () => {
    const [newer, known] = entries;
    await region.query('BEGIN');
    const told = delivery({ entries: [{ ...newer!, schema: '2' }, known!] });
    expect(await applyInSets(region, await tables(), told)).toBe(0);
    await region.query('COMMIT');
    expect(await db.rows()).toMatchObject([{ id: known!.entity_id }]);
    const stale = await region.query('SELECT lane, code FROM stale_lanes');
    expect(stale.rows).toEqual([{ lane: newer!.patient_id, code: 'SCHEMA_AHEAD' }]);
  });
});

/** A central that was restored to before its upgrade: this node knows more of what it made than it can keep. */
describe('what is given back to a central that is behind', () => {
  let db: CapturedDatabase;
  let restored: TestDatabase;
  let central: pg.Client;

  beforeEach(async () => {
    [db, restored] = await Promise.all([openCapturedDatabase(), cloneDatabase('default')]);
    central = new pg.Client({ connectionString: restored.url });
    await central.connect();
    await db.source.getRepository(Patient).save(aPatient());
  });
  afterEach(async () => {
    await central.end();
    await Promise.all([db.close(), restored.drop()]);
  });

  const ask: Ask = async <T extends object>(sql: string, values?: unknown[]) =>
    (await central.query<T>(sql, values)).rows;
  const giveBack = async () => {
    const tables = await receivingTablesOf(ask, replicatedTables(db.source));
    return returnToCentral(db.outside, ask, tables, { common: 0, seen: 9 });
  };
  const madeByCentral = (schema: number) =>
    db.outside.query(
      `INSERT INTO journal SELECT (jsonb_populate_record(j, jsonb_build_object(
         'seq', nextval('journal_seq'), 'origin', 'central', 'schema', $1::int))).* FROM journal j WHERE origin <> 'central'`,
      [schema],
    );
  const atCentral = async () =>
    (
      await ask<{ patients: number; entries: number }>(
        'SELECT (SELECT count(*)::int FROM patients) AS patients, (SELECT count(*)::int FROM journal) AS entries',
      )
    )[0];

  it('waits for its upgrade, and is not cut to what it has', async () => {
    await madeByCentral(2);
    await expect(giveBack()).rejects.toBeInstanceOf(SchemaAheadError);
    expect(await atCentral()).toEqual({ patients: 0, entries: 0 });
  });

  it('is given back when central knows all of it', async () => {
    await madeByCentral(1);
    expect(await giveBack()).toBe(1);
    expect(await atCentral()).toMatchObject({ patients: 1 });
  });
});
