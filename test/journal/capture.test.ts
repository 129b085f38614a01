import { CaptureSubscriber } from '../../src/journal/capture.subscriber.js';
import { UndescribableWriteError } from '../../src/journal/undescribable-write.error.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { attachChangeContext } from '../../src/routing/change-context.js';
import { aPatient, openCapturedDatabase, type CapturedDatabase } from './captured-database.js';

/** Every way in which TypeORM writes: captured exactly, or refused before it runs. */
describe('capture by the entity subscriber', () => {
  let db: CapturedDatabase;
  beforeAll(async () => {
    db = await openCapturedDatabase();
  });
  afterAll(() => db.close());
  beforeEach(() => db.clear());

  const repository = () => db.source.getRepository(Patient);
  const stored = (fields?: Partial<Patient>) => db.stored(fields);
  const expectRefused = async (write: () => Promise<unknown>, problem: RegExp) => {
    const [rows, entries] = [await db.rows(), await db.journal()];
    const failure = await write().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(UndescribableWriteError);
    expect((failure as Error).message).toMatch(problem);
    expect((failure as Error).message).toMatch(/save\(\)/);
    expect(await db.rows()).toEqual(rows);
    expect(await db.journal()).toEqual(entries);
  };

  it('save(new): one insert with the whole row', async () => {
    const patient = await repository().save(aPatient());
    const [entry, ...others] = await db.journal();
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      op: 'insert',
      entity: 'patients',
      entity_id: patient.id,
      patient_id: patient.id,
    });
    expect(entry).toMatchObject({ before: null, change_set_size: 1, captured_by: 'application' });
    expect([entry!.after]).toEqual(await db.rows());
    expect(db.commits()).toBe(1);
  });

  it('save(loaded, changed): one update with only what changed, from what to what', async () => {
    const patient = await stored({ phone: '+221770000001' });
    patient.phone = '+221770000002';
    await repository().save(patient);
    expect(await db.journal()).toMatchObject([
      { op: 'update', before: { phone: '+221770000001' }, after: { phone: '+221770000002' } },
    ]);
  });

  it('save({id, one field}): the other columns are neither lost nor reported as changed', async () => {
    const patient = await stored({ phone: '+221770000001' });
    await repository().save({ id: patient.id, notes: 'vu en consultation' });
    expect(await db.journal()).toMatchObject([
      { op: 'update', before: { notes: null }, after: { notes: 'vu en consultation' } },
    ]);
    const [entry] = await db.journal();
    expect(Object.keys(entry!.after!)).toEqual(['notes']);
  });

  it('save(unchanged): no entry', async () => {
    const patient = await stored();
    await repository().save(patient);
    expect(await db.journal()).toEqual([]);
    expect(db.commits()).toBe(1);
  });

  it('save([many]): one change set with one entry each', async () => {
    const patients = await repository().save([aPatient(), aPatient(), aPatient()]);
    const entries = await db.journal();
    expect(entries.map((entry) => entry.entity_id).sort()).toEqual(patients.map(({ id }) => id).sort());
    expect(new Set(entries.map((entry) => entry.change_set)).size).toBe(1);
    expect(entries.every((entry) => entry.change_set_size === 3)).toBe(true);
  });

  it('save([new, changed]) and remove in one transaction: one change set, in order', async () => {
    const [changed, removed] = [await stored(), await stored()];
    await db.source.transaction(async (manager) => {
      attachChangeContext(manager.queryRunner!, { actor: 'a.diop', role: 'medecin', reason: 'correction' });
      await manager.save(Object.assign(changed, { notes: 'x' }));
      await manager.insert(Patient, aPatient());
      await manager.remove(removed);
    });
    const entries = await db.journal();
    expect(entries.map(({ op }) => op)).toEqual(['update', 'insert', 'remove']);
    expect(entries).toMatchObject(Array(3).fill({ actor: 'a.diop', role: 'medecin', reason: 'correction' }));
  });

  it('insert() in a transaction: captured', async () => {
    const patient = aPatient();
    await db.source.transaction((manager) => manager.insert(Patient, [patient, aPatient()]));
    expect((await db.journal()).map(({ op }) => op)).toEqual(['insert', 'insert']);
    expect((await db.journal()).map(({ after }) => after)).toEqual(await db.rows());
  });

  it('an insert builder in a transaction, without updating the entity: captured', async () => {
    await db.source.transaction((manager) =>
      manager.createQueryBuilder().insert().into(Patient).values(aPatient()).updateEntity(false).execute(),
    );
    expect(await db.journal()).toHaveLength(1);
  });

  it('insert() outside a transaction: refused', () =>
    expectRefused(() => repository().insert(aPatient()), /outside a transaction/));

  it('an insert builder outside a transaction: refused', () =>
    expectRefused(
      () => db.source.createQueryBuilder().insert().into(Patient).values(aPatient()).execute(),
      /outside a transaction/,
    ));

  it('upsert(), orIgnore() and orUpdate(): refused, in a transaction too', async () => {
    const patient = await stored();
    await expectRefused(
      () => db.source.transaction((manager) => manager.upsert(Patient, { ...patient }, ['id'])),
      /upsert/,
    );
    await expectRefused(
      () =>
        db.source.transaction((manager) =>
          manager.createQueryBuilder().insert().into(Patient).values(patient).orIgnore().execute(),
        ),
      /upsert/,
    );
    await expectRefused(
      () =>
        db.source.transaction((manager) =>
          manager
            .createQueryBuilder()
            .insert()
            .into(Patient)
            .values(patient)
            .orUpdate(['notes'], ['id'])
            .execute(),
        ),
      /upsert/,
    );
  });

  it('update(criteria), an update builder and increment(): refused', async () => {
    const { id } = await stored();
    await expectRefused(() => repository().update({ id }, { notes: 'x' }), /criteria/);
    await expectRefused(
      () => db.source.transaction((manager) => manager.update(Patient, { id }, { notes: 'x' })),
      /criteria/,
    );
    await expectRefused(
      () => db.source.createQueryBuilder().update(Patient).set({ notes: 'x' }).where({ id }).execute(),
      /criteria/,
    );
    await expectRefused(() => repository().increment({ id }, 'version', 1), /criteria/);
  });

  it('delete(criteria) and a delete builder: refused', async () => {
    const { id } = await stored();
    await expectRefused(() => repository().delete({ id }), /criteria/);
    await expectRefused(
      () => db.source.createQueryBuilder().delete().from(Patient).where({ id }).execute(),
      /criteria/,
    );
  });

  it('remove(entity): the whole old row, so that nothing removed is unrecoverable', async () => {
    const patient = await stored();
    const rows = await db.rows();
    await repository().remove(patient);
    expect(await db.journal()).toMatchObject([{ op: 'remove', before: rows[0], after: null }]);
    expect(await db.rows()).toEqual([]);
  });

  it('remove(entity) of a row that is gone already: no entry', async () => {
    const patient = await stored();
    await db.outside.query('SET session_replication_role = replica');
    await db.outside.query('DELETE FROM patients');
    await db.outside.query('SET session_replication_role = origin');
    await repository().remove(patient);
    expect(await db.journal()).toEqual([]);
  });

  it('clear() and TRUNCATE: refused', async () => {
    await stored();
    await expectRefused(() => repository().clear(), /round the entity subscriber/);
  });

  it.each([
    `UPDATE patients SET notes = 'x'`,
    `update only "public"."patients" set notes = 'x'`,
    `DELETE FROM patients`,
    `WITH gone AS (DELETE FROM patients RETURNING *) SELECT * FROM gone`,
    `INSERT INTO patients SELECT * FROM patients`,
    `MERGE INTO patients p USING node ON true WHEN MATCHED THEN DELETE`,
    `DO $$ BEGIN UPDATE patients SET notes = 'x'; END $$`,
  ])('a raw query (%s): refused', async (sql) => {
    await stored();
    await expectRefused(() => db.source.query(sql), /round the entity subscriber/);
    await expectRefused(
      () =>
        db.source.transaction(async (manager) => {
          await manager.save(aPatient());
          await manager.query(sql);
        }),
      /round the entity subscriber/,
    );
  });

  it('listeners switched off: refused', () =>
    expectRefused(() => repository().save(aPatient(), { listeners: false }), /round the entity subscriber/));

  it('reads, locks and other tables are not mistaken for writes', async () => {
    await stored();
    await db.source.transaction(async (manager) => {
      await manager.query('SELECT id FROM patients FOR UPDATE');
      await manager.query(`SELECT 'update patients set' IS NULL`).catch((error: unknown) => {
        expect(error).toBeInstanceOf(UndescribableWriteError); // a false alarm is refused, never let through
      });
      await manager.find(Patient, { lock: { mode: 'pessimistic_write' } });
    });
    expect(await db.journal()).toEqual([]);
  });

  it('a rolled-back savepoint takes its entries along; what surrounds it stays', async () => {
    const [outer, inner, after] = [aPatient(), aPatient(), aPatient()];
    await db.source.transaction(async (manager) => {
      await manager.save(outer);
      await expect(
        manager.transaction(async (nested) => {
          await nested.save(inner);
          throw new Error('changed my mind');
        }),
      ).rejects.toThrow('changed my mind');
      await manager.transaction((nested) => nested.save(after));
    });
    expect((await db.journal()).map((entry) => entry.entity_id)).toEqual([outer.id, after.id]);
    expect((await db.rows()).map((row) => row.id)).toEqual([outer.id, after.id]);
    expect(db.commits()).toBe(1);
  });

  it('a released savepoint flushes nothing before the outermost commit', async () => {
    const during: number[] = [];
    await db.source.transaction(async (manager) => {
      await manager.transaction((nested) => nested.save(aPatient()));
      during.push(Number((await manager.query<{ n: string }[]>('SELECT count(*) AS n FROM journal'))[0]!.n));
    });
    expect(during).toEqual([0]);
    expect(await db.journal()).toHaveLength(1);
  });

  it('a rolled-back transaction leaves no entry, and the next one on the same runner starts clean', async () => {
    const runner = db.source.createQueryRunner();
    await runner.startTransaction();
    await runner.manager.save(aPatient());
    await runner.rollbackTransaction();
    const kept = aPatient();
    await runner.startTransaction();
    await runner.manager.save(kept);
    await runner.commitTransaction();
    await runner.release();
    expect((await db.journal()).map((entry) => entry.entity_id)).toEqual([kept.id]);
    expect(db.commits()).toBe(1);
  });

  it('a failed sibling in save([…]): no row and no entry, not even later', async () => {
    const taken = await stored();
    const clash = aPatient({ medicalId: taken.medicalId });
    await expect(repository().save([aPatient(), clash, aPatient()])).rejects.toThrow(/duplicate key/);
    await repository().save(aPatient());
    expect(await db.journal()).toHaveLength(1);
    expect(await db.rows()).toHaveLength(2);
  });

  it('a subscriber that throws for one of save([…]): no row and no entry, not even later', async () => {
    const capture = db.source.subscribers.findIndex((subscriber) => subscriber instanceof CaptureSubscriber);
    db.source.subscribers.splice(capture, 0, {
      afterInsert: () => {
        throw new Error('a broken subscriber');
      },
    });
    await expect(repository().save([aPatient(), aPatient(), aPatient()])).rejects.toThrow(
      'a broken subscriber',
    );
    db.source.subscribers.splice(capture, 1);
    expect(await db.rows()).toEqual([]);
    expect(await db.journal()).toEqual([]);
  });

  it('a journal write that fails takes the rows with it', async () => {
    await db.outside.query(`ALTER TABLE journal ADD CONSTRAINT refuse CHECK (actor <> 'nobody')`);
    const write = db.source.transaction(async (manager) => {
      attachChangeContext(manager.queryRunner!, { actor: 'nobody' });
      await manager.save(aPatient());
    });
    await expect(write).rejects.toThrow(/refuse/);
    await db.outside.query('ALTER TABLE journal DROP CONSTRAINT refuse');
    expect(await db.rows()).toEqual([]);
    expect(await db.journal()).toEqual([]);
  });

  it('several writes to one row are one entry, from the first state to the last', async () => {
    const patient = await stored({ notes: 'a', phone: '+221770000001' });
    await db.source.transaction(async (manager) => {
      await manager.save(Object.assign(patient, { notes: 'b' }));
      await manager.save(Object.assign(patient, { notes: 'c', phone: '+221770000002' }));
    });
    expect(await db.journal()).toMatchObject([
      {
        op: 'update',
        before: { notes: 'a', phone: '+221770000001' },
        after: { notes: 'c', phone: '+221770000002' },
      },
    ]);
  });

  it('a row that was inserted and removed in one transaction leaves nothing', async () => {
    await db.source.transaction(async (manager) => {
      const patient = await manager.save(aPatient());
      await manager.remove(patient);
    });
    expect(await db.journal()).toEqual([]);
  });

  it('the old value is the one that was replaced, not the one that this transaction had loaded', async () => {
    const { id } = await stored({ notes: 'first' });
    const stale = await repository().findOneByOrFail({ id });
    await repository().save({ id, notes: 'second' });
    const runner = db.source.createQueryRunner();
    await runner.startTransaction();
    await runner.query('SELECT pg_advisory_xact_lock(1)');
    // TypeORM loads the row for save(), then waits behind a writer that commits another value.
    const writer = db.source.createQueryRunner();
    await writer.startTransaction();
    await writer.manager.save(Patient, { id, notes: 'third' });
    const waiting = runner.manager.save(Object.assign(stale, { notes: 'fourth' }));
    await writer.commitTransaction();
    await waiting;
    await runner.commitTransaction();
    await Promise.all([writer.release(), runner.release()]);
    const transitions = (await db.journal()).map((entry) => [entry.before?.notes, entry.after?.notes]);
    expect(transitions).toEqual([
      ['first', 'second'],
      ['second', 'third'],
      ['third', 'fourth'],
    ]);
  });
});
