import pg from 'pg';
import { until } from '../harness/until.js';
import { Restorable, type Restore } from './restorable.js';

/** A region that is put back to an older backup gets from central what it had sent since. */
describe.each<Restore>(['loaded anew', 'files put back'])('a region restored from a backup (%s)', (how) => {
  let world: Restorable;
  beforeEach(async () => {
    world = await Restorable.start();
  });
  afterEach(() => world.remove());

  const alert = async (code: string) => (await world.alerts()).find((each) => each.code === code);
  const numbers = (values: { origin_seq?: unknown }[]) => values.map(({ origin_seq }) => Number(origin_seq));

  it('gets back what it had sent: creates, edits and removals, each at its own position', async () => {
    const [kept, edited, gone] = await world.create(3);
    await world.settled();
    const backup = await world.backUp('region');
    await world.edit(edited!.id, { phone: '+221770000001' });
    await world.edit(edited!.id, { phone: '+221770000002', bloodGroup: 'O+' });
    await world.delete(gone!.id);
    const [created] = await world.create(2);
    await world.edit(created!.id, { notes: 'revue' });
    await world.settled();
    const [rows, entries] = [await world.rows('region'), await world.entries('region')];

    await world.restore(backup, how);
    await world.settled();
    expect(await world.rows('region')).toEqual(rows);
    expect(await world.entries('region')).toEqual(entries);
    expect(await alert('REGION_RECOVERED')).toMatchObject({ count: 6, subject: 'DKR incarnation 2' });

    const [later] = await world.create(1);
    await world.edit(kept!.id, { notes: 'plus tard' });
    await world.settled();
    await world.expectWhole();
    expect((await world.entries('central')).slice(-2)).toMatchObject([
      { entity_id: later!.id, incarnation: 2 },
      { entity_id: kept!.id, incarnation: 2 },
    ]);
  }, 60_000);

  it('keeps what was written since the restore on top, at positions that were never used', async () => {
    const [shared, removedHere, untouched] = await world.create(3);
    await world.settled();
    const backup = await world.backUp('region');
    await world.edit(shared!.id, { phone: '+221770000001', notes: 'perdue' });
    await world.edit(removedHere!.id, { notes: 'perdue' });
    await world.edit(untouched!.id, { notes: 'perdue' });
    await world.create(3);
    await world.settled();
    const sent = await world.entries('central');

    await world.wire.become('down');
    await world.restore(backup, how);
    const [fresh] = await world.create(2);
    await world.edit(shared!.id, { notes: 'depuis' });
    await world.delete(removedHere!.id);
    await world.wire.become('up');
    await world.settled();

    await world.expectWhole();
    const rows = await world.rows('region');
    const row = (id: string) => rows.find((each) => each.id === id);
    expect(row(shared!.id)).toMatchObject({ phone: '+221770000001', notes: 'depuis' });
    expect(row(untouched!.id)).toMatchObject({ notes: 'perdue' });
    const covered = (await world.alerts()).filter(({ code }) => code === 'RECOVERED_VALUE_COVERED');
    expect(covered).toMatchObject([{ subject: `patients ${shared!.id}`, count: 1 }]);
    const history = (await world.entries('region')).filter(({ entity_id }) => entity_id === shared!.id);
    expect(history.map(({ after }) => (after as { notes?: string }).notes)).toEqual([
      null,
      'perdue',
      'depuis',
    ]);
    expect(row(removedHere!.id)).toBeUndefined();
    expect(row(fresh!.id)).toBeDefined();
    const [before, since] = [sent.length, (await world.entries('central')).slice(sent.length)];
    expect(await world.entries('central')).toHaveLength(before + 4);
    expect(Math.min(...numbers(since))).toBeGreaterThan(Math.max(...numbers(sent)));
    expect(since.map(({ incarnation }) => incarnation)).toEqual([2, 2, 2, 2]);
  }, 60_000);

  it('gives no medical id twice: not one of a patient who had come and gone, nor one given before it knew', async () => {
    await world.create(1);
    await world.settled();
    const backup = await world.backUp('region');
    const lost = await world.create(2);
    const [card] = await world.create(1, { medicalId: 'CARTE-77' });
    await world.delete(lost[1]!.id);
    await world.settled();

    await world.wire.become('down');
    await world.restore(backup, how);
    // The same blocks again, as a clock that was behind would have it.
    const { sequence } = await world.restartBlocks();
    const [again] = await world.create(1, { medicalId: 'CARTE-77' });
    const [, twin] = await world.create(3);
    await world.wire.become('up');
    await world.settled();

    expect(twin!.medicalId).not.toBe(lost[1]!.medicalId);
    const ids = (await world.rows('region')).map(({ medical_id }) => medical_id);
    expect(new Set(ids).size).toBe(ids.length);
    const rows = await world.rows('central');
    expect(rows).toEqual(await world.rows('region'));
    expect(rows.find(({ id }) => id === card!.id)).toMatchObject({ medical_id: 'CARTE-77' });
    const replaced = rows.find(({ id }) => id === again!.id)!;
    expect(replaced.medical_id).toMatch(/^DKR-/);
    expect(await alert('MEDICAL_ID_REPLACED')).toMatchObject({ subject: `patient ${again!.id}` });
    const history = await world.entries('central');
    expect(history.at(-1)).toMatchObject({ entity_id: again!.id, before: { medical_id: 'CARTE-77' } });
    expect(await world.blocksBegun()).toBeGreaterThan(sequence);
  }, 60_000);

  it('may be restored again and again, from the same backup, a later one, or an empty one', async () => {
    const empty = await world.backUp('region');
    await world.create(2);
    await world.settled();
    const first = await world.backUp('region');
    await world.create(2);
    await world.settled();
    await world.wire.become('down');
    await world.restore(first, how);
    await world.create(2);
    await world.wire.become('up');
    await world.settled();
    await world.expectWhole();
    const second = await world.backUp('region');
    for (const backup of [first, second, empty]) {
      await world.create(1);
      await world.settled();
      await world.wire.become('down');
      await world.restore(backup, how);
      await world.create(2);
      await world.wire.become('up');
      await world.settled();
      await world.expectWhole();
    }
    expect(await world.rows('region')).toHaveLength(2 + 2 + 2 + 3 * 3);
  }, 60_000);

  it('waits for those who are just writing, and they for it: nothing of theirs is lost or numbered twice', async () => {
    await world.create(1);
    await world.settled();
    const backup = await world.backUp('region');
    await world.create(20);
    await world.settled();
    await world.wire.become('down');
    await world.restore(backup, how);
    const slow = new pg.Client({ connectionString: world.regionUrl });
    await slow.connect();
    // Has its position already, and has not committed.
    await slow.query(`BEGIN; UPDATE patients SET notes = 'lente'; SET CONSTRAINTS ALL IMMEDIATE`);
    let writing = true;
    const writers = Array.from({ length: 4 }, async () => {
      const made: { id: string }[] = [];
      while (writing) made.push(...(await world.create(1)));
      return made;
    });
    await world.wire.become('up');
    await until(async () => (await world.status()).link.lastError?.code === '55P03', {
      what: 'the healing gave the writers way',
    });
    await slow.query('COMMIT');
    await slow.end();
    await until(async () => (await world.status()).link.state === 'up', { what: 'the region is healed' });
    writing = false;
    const made = (await Promise.all(writers)).flat();
    await world.settled();
    await world.expectWhole();
    const rows = await world.rows('central');
    expect(rows.map(({ id }) => id)).toEqual(expect.arrayContaining(made.map(({ id }) => id)));
    expect(rows.filter(({ notes }) => notes === 'lente')).toHaveLength(1);
    expect(rows).toHaveLength(21 + made.length);
  }, 60_000);
});
