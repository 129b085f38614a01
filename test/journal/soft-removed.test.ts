import { Column, DeleteDateColumn, Entity, PrimaryColumn } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { Merge } from '../../src/journal/merge-rule.js';
import { Replicated } from '../../src/journal/replicated.js';
import { UndescribableWriteError } from '../../src/journal/undescribable-write.error.js';
import { openCapturedDatabase, type CapturedDatabase } from './captured-database.js';

/** A record that belongs to a patient, as a module may bring it. */
@Entity('visits')
@Replicated({ compartment: 'patientId', schema: 3 })
class Visit {
  @Merge('review')
  @PrimaryColumn('uuid')
  id!: string;

  @Merge('review')
  @Column('uuid')
  patientId!: string;

  @Merge('review')
  @Column('text')
  notes!: string;

  @Merge('review')
  @DeleteDateColumn({ type: 'timestamptz', precision: 3 })
  deletedAt!: Date | null;
}

describe('capture of an entity of a module, with soft removal', () => {
  let db: CapturedDatabase;
  beforeAll(async () => {
    db = await openCapturedDatabase(Visit);
    await db.outside.query(
      `CREATE TABLE visits (id uuid PRIMARY KEY, patient_id uuid NOT NULL, notes text NOT NULL, deleted_at timestamptz(3));
       SELECT journal_capture('visits', 'patient_id', 3)`,
    );
  });
  afterAll(() => db.close());

  const visits = () => db.source.getRepository(Visit);
  const aVisit = () =>
    visits().save(Object.assign(new Visit(), { id: uuidv7(), patientId: uuidv7(), notes: 'fever' }));
  const entriesOf = async ({ id }: { id: string }) =>
    (await db.journal()).filter(({ entity_id }) => entity_id === id);

  it('entries are of its table, in the lane of its patient, with the version of its shape', async () => {
    const visit = await aVisit();
    const both = await db.source.transaction((manager) =>
      manager.save(
        [Object.assign(visit, { notes: 'better' }), { ...visit, id: uuidv7() }].map((v) =>
          visits().create(v),
        ),
      ),
    );
    expect(await entriesOf(visit)).toMatchObject([
      { op: 'insert', entity: 'visits', patient_id: visit.patientId, schema: 3, before: null },
      {
        op: 'update',
        patient_id: visit.patientId,
        schema: 3,
        before: { notes: 'fever' },
        after: { notes: 'better' },
      },
    ]);
    expect(await entriesOf(both[1]!)).toMatchObject([{ op: 'insert', patient_id: visit.patientId }]);
  });

  it('softRemove(entity) and recover(entity): captured as updates', async () => {
    const visit = await aVisit();
    await visits().softRemove(visit);
    await visits().recover(visit);
    const [, removal, recovery] = await entriesOf(visit);
    expect(removal).toMatchObject({ op: 'update', before: { deleted_at: null } });
    expect(Object.keys(removal!.after!)).toEqual(['deleted_at']);
    expect(recovery).toMatchObject({ op: 'update', before: removal!.after, after: { deleted_at: null } });
  });

  it('softDelete(criteria) and restore(criteria): refused', async () => {
    const { id } = await aVisit();
    await expect(visits().softDelete({ id })).rejects.toThrow(UndescribableWriteError);
    await expect(visits().restore({ id })).rejects.toThrow(/restore by criteria/);
    await expect(db.source.transaction((manager) => manager.softDelete(Visit, { id }))).rejects.toThrow(
      /soft delete by criteria/,
    );
    expect(await visits().findOneBy({ id })).toMatchObject({ deletedAt: null });
    expect(await entriesOf({ id })).toHaveLength(1);
  });
});
