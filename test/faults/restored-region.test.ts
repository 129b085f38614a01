import { Restorable } from './restorable.js';

/** A region that is put back to an older backup gets from central what it had sent since. */
describe('a region restored from a backup', () => {
  let world: Restorable;
  beforeEach(async () => {
    world = await Restorable.start();
  });
  afterEach(() => world.remove());

  const alert = async (code: string) => (await world.alerts()).find((each) => each.code === code);
  /** Both sides hold the same patients and the same changes, and no position or medical id was used twice. */
  const expectWhole = async () => {
    expect(await world.rows('region')).toEqual(await world.rows('central'));
    const entries = await world.entries('region');
    expect(await world.entries('central')).toEqual(entries);
    const ids = entries
      .filter(({ op }) => op === 'insert')
      .map(({ after }) => (after as { medical_id: string }).medical_id);
    expect(new Set(ids).size).toBe(ids.length);
    const sets = new Map(
      entries.map((entry) => [`${String(entry.incarnation)}.${String(entry.change_set)}`, entry]),
    );
    expect(sets.size).toBe(entries.length);
  };

  it('gets back what it had sent: creates, edits and removals, each at its own position', async () => {
    const [kept, edited, gone] = await world.create(3);
    await world.settled();
    const backup = await world.backUp('region');
    await world.edit(edited!.id, { phone: '+221770000001' });
    await world.edit(edited!.id, { phone: '+221770000002', bloodGroup: 'O+' });
    await world.remove1(gone!.id);
    const [created] = await world.create(2);
    await world.edit(created!.id, { notes: 'revue' });
    await world.settled();
    const [rows, entries] = [await world.rows('region'), await world.entries('region')];

    await world.restore(backup);
    await world.settled();
    expect(await world.rows('region')).toEqual(rows);
    expect(await world.entries('region')).toEqual(entries);
    expect(await alert('REGION_RECOVERED')).toMatchObject({ count: 6, subject: 'DKR incarnation 2' });

    const [later] = await world.create(1);
    await world.edit(kept!.id, { notes: 'plus tard' });
    await world.settled();
    await expectWhole();
    const last = (await world.entries('central')).slice(-2);
    expect(last).toMatchObject([
      { entity_id: later!.id, incarnation: 2 },
      { entity_id: kept!.id, incarnation: 2 },
    ]);
  });
});
