import { insertRows } from '../../src/journal/insert-rows.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { attachChangeContext } from '../../src/routing/change-context.js';
import { aPatient, openCapturedDatabase, type CapturedDatabase } from './captured-database.js';

/** Many rows in one statement: the same rows and entries as one by one. */
describe('insertRows()', () => {
  let db: CapturedDatabase;
  beforeAll(async () => {
    db = await openCapturedDatabase();
  });
  afterAll(() => db.close());
  beforeEach(() => db.clear());

  const inserted = (patients: readonly Patient[]) =>
    db.source.transaction(async (manager) => {
      attachChangeContext(manager.queryRunner!, { actor: 'import' });
      await insertRows(manager, Patient, patients);
    });

  const whole = {
    usedName: `"Ndèye" \\ N'Diaye`,
    address: { city: 'Dakar', line: 'rue "1"' },
    location: { latitude: 14.69278945123, longitude: -17.4467 },
    emergencyContact: { name: 'أمينة' },
    allergies: ['Pénicilline', '{a,"b"}', 'NULL'],
    deceasedAt: '2026-02-01T08:30:00.250Z',
    notes: 'deux\nlignes',
  };

  it('stores what insert() stores, and journals each row of it as one change set', async () => {
    const patients = [aPatient(whole), aPatient(), aPatient({ birthDate: '1900-01-01', phone: null })];

    await inserted(patients);

    const rows = await db.rows();
    const entries = await db.journal();
    expect(entries.map(({ after }) => after)).toEqual(rows);
    expect(entries.map(({ entity_id }) => entity_id)).toEqual(patients.map(({ id }) => id));
    for (const entry of entries)
      expect(entry).toMatchObject({
        op: 'insert',
        change_set_size: 3,
        captured_by: 'application',
        actor: 'import',
      });
    expect(new Set(entries.map(({ change_set }) => change_set)).size).toBe(1);
    expect(db.commits()).toBe(1);

    await db.clear();
    await db.source.transaction((manager) => manager.insert(Patient, patients));
    expect(await db.rows()).toEqual(rows);
  });

  it('stores none when the database refuses one', async () => {
    const first = aPatient();

    await expect(
      inserted([first, aPatient(), aPatient({ medicalId: first.medicalId })]),
    ).rejects.toMatchObject({
      driverError: { code: '23505' },
    });

    expect(await db.rows()).toEqual([]);
    expect(await db.journal()).toEqual([]);
  });

  it('is refused outside a transaction, like insert()', async () => {
    const manager = db.source.createQueryRunner().manager;
    try {
      await expect(insertRows(manager, Patient, [aPatient()])).rejects.toThrow(/outside a transaction/);
    } finally {
      await manager.queryRunner!.release();
    }
    expect(await db.rows()).toEqual([]);
  });

  it('of no rows does nothing', async () => {
    await inserted([]);
    expect(db.commits()).toBe(0);
  });
});
