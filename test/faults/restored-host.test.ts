import { Restorable, type Restore } from './restorable.js';

/** A region that shares patients with others lost both what it had made and what it had been told. */
describe.each<Restore>(['loaded anew', 'files put back'])(
  'a region with shared patients, restored (%s)',
  (how) => {
    let world: Restorable;
    beforeEach(async () => {
      world = await Restorable.start('other');
    });
    afterEach(() => world.remove());

    const share = async (id: string) => {
      await world.query('central', 'SELECT hosts_open_homes(ARRAY[$1]::uuid[])', [id]);
      await world.query(
        'central',
        `INSERT INTO hosts (id, patient_id, region, kind, created_at, created_by)
       VALUES (gen_random_uuid(), $1, 'THS', 'copy', now(), 'test')`,
        [id],
      );
      await world.settled();
    };
    const everywhere = async (id: string) => {
      const find = async (side: 'region' | 'other' | 'central') =>
        (await world.rows(side)).find((row) => row.id === id);
      const row = await find('central');
      expect(await find('region')).toEqual(row);
      expect(await find('other')).toEqual(row);
      return row;
    };

    it('has everything again, in the order in which it was: its own edits over what it knew when it made them', async () => {
      const [awa] = await world.create(1);
      await world.settled();
      await share(awa!.id);
      const backup = await world.backUp('region');
      // Each knows of the one before.
      await world.edit(awa!.id, { phone: '+221770000001', email: 'un@example.org' }, 'other');
      await world.settled();
      await world.edit(awa!.id, { phone: '+221770000002' });
      await world.settled();
      await world.edit(awa!.id, { email: 'deux@example.org' }, 'other');
      await world.settled();
      await world.query('central', `UPDATE patients SET notes = 'central' WHERE id = $1`, [awa!.id]);
      await world.settled();
      await world.edit(awa!.id, { notes: 'region' });
      await world.settled();
      const before = await everywhere(awa!.id);

      await world.restore(backup, how);
      await world.settled();
      expect(await everywhere(awa!.id)).toEqual(before);
      expect(before).toMatchObject({ phone: '+221770000002', email: 'deux@example.org', notes: 'region' });
      const told = `SELECT origin, origin_seq, op FROM journal WHERE patient_id = $1 ORDER BY origin, origin_seq`;
      expect(await world.query('region', told, [awa!.id])).toEqual(
        await world.query('central', told, [awa!.id]),
      );
    }, 60_000);

    it('has the files again that it had been given, with what it had written in them', async () => {
      const [awa] = await world.create(1);
      await world.settled();
      const backup = await world.backUp('other');
      await share(awa!.id);
      await world.edit(awa!.id, { phone: '+221770000003' }, 'other');
      await world.settled();
      await world.edit(awa!.id, { bloodGroup: 'AB-' });
      await world.settled();
      await world.edit(awa!.id, { bloodGroup: 'O-' }, 'other');
      await world.settled();

      await world.restore(backup, how);
      await world.settled();
      expect(await everywhere(awa!.id)).toMatchObject({ phone: '+221770000003', blood_group: 'O-' });
      await world.edit(awa!.id, { notes: 'depuis' }, 'other');
      await world.settled();
      expect(await everywhere(awa!.id)).toMatchObject({ notes: 'depuis' });
    }, 60_000);

    it('keeps what both sides wrote while it was away', async () => {
      const [awa] = await world.create(1);
      await world.settled();
      await share(awa!.id);
      const backup = await world.backUp('region');
      await world.edit(awa!.id, { phone: '+221770000001' });
      await world.settled();
      await world.wire.become('down');
      await world.restore(backup, how);
      await world.edit(awa!.id, { notes: 'depuis' });
      await world.edit(awa!.id, { email: 'ths@example.org' }, 'other');
      await world.wire.become('up');
      await world.settled();
      expect(await everywhere(awa!.id)).toMatchObject({
        phone: '+221770000001',
        notes: 'depuis',
        email: 'ths@example.org',
      });
    }, 60_000);
  },
);
