import type pg from 'pg';
import { layOver } from '../../src/apply/apply-delivery.js';
import { receivingTables } from '../../src/apply/receiving-tables.js';
import { SchemaAheadError } from '../../src/apply/refusal.js';
import { applyInSets } from '../../src/apply/stale-lanes.js';
import { DELIVERED_COLUMNS, type DeliveredEntry, type Delivery } from '../../src/journal/delivery.js';
import { replicatedTables } from '../../src/journal/replicated-tables.js';
import { Patient } from '../../src/patients/patient.entity.js';
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
