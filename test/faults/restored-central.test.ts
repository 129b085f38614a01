import { Restorable, type Restore } from './restorable.js';

/** Central is put back to an older backup: its regions have, between them, all that it lost. */
describe.each<Restore>(['loaded anew', 'files put back'])('central restored from a backup (%s)', (how) => {
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
  const find = async (side: 'region' | 'other' | 'central', id: string) =>
    (await world.rows(side)).find((row) => row.id === id);
  const everywhere = async (id: string) => {
    const row = await find('central', id);
    expect(await find('region', id)).toEqual(row);
    expect(await find('other', id)).toEqual(row);
    return row;
  };
  const noteAtCentral = (id: string, notes: string) =>
    world.query('central', 'UPDATE patients SET notes = $2 WHERE id = $1', [id, notes]);
  /** No node has an entry twice. */
  const expectOnce = async () => {
    for (const side of ['region', 'other', 'central'] as const) {
      const twice = await world.query(
        side,
        'SELECT origin, origin_seq FROM journal GROUP BY origin, incarnation, origin_seq HAVING count(*) > 1',
      );
      expect([side, twice]).toEqual([side, []]);
    }
  };

  it('is sent again what regions had sent, and says so', async () => {
    const [awa, edited] = await world.create(2);
    await world.settled();
    const backup = await world.backUp('central');
    await world.create(3);
    await world.edit(edited!.id, { phone: '+221770000001' });
    await world.delete(awa!.id);
    await world.settled();
    const rows = await world.rows('region');

    await world.restore(backup, how);
    await world.settled();
    expect(await world.rows('region')).toEqual(rows);
    expect(await world.rows('central')).toEqual(rows);
    await world.expectWhole();
    await expectOnce();
    const alerts = await world.alerts();
    expect(alerts.find(({ code }) => code === 'CENTRAL_RESTORED')).toMatchObject({
      subject: 'DKR',
      count: 5,
    });
    await world.create(1);
    await world.settled();
    expect(await world.rows('central')).toEqual(await world.rows('region'));
  }, 60_000);

  it('is given back what it had made itself, by whichever region has it', async () => {
    const [awa, own] = await world.create(2);
    await world.settled();
    await share(awa!.id);
    const backup = await world.backUp('central');
    await noteAtCentral(awa!.id, 'national');
    await noteAtCentral(own!.id, 'national aussi');
    await share(own!.id);
    await world.edit(own!.id, { phone: '+221770000005' }, 'other');
    await world.settled();
    const [first, second] = [await everywhere(awa!.id), await everywhere(own!.id)];

    await world.restore(backup, how);
    await world.settled();
    expect(await everywhere(awa!.id)).toEqual(first);
    // What was given back and what was sent again met, which is a version more.
    const { version: _, ...content } = second!;
    expect(await everywhere(own!.id)).toMatchObject(content);
    await expectOnce();

    // And everything goes on, in both directions.
    await noteAtCentral(own!.id, 'encore');
    await world.settled();
    await world.edit(own!.id, { email: 'apres@example.org' }, 'other');
    await world.settled();
    expect(await everywhere(own!.id)).toMatchObject({ notes: 'encore', email: 'apres@example.org' });
  }, 60_000);

  it('has used no position again that a region had seen', async () => {
    const [awa] = await world.create(1);
    await world.settled();
    await share(awa!.id);
    const backup = await world.backUp('central');
    for (const notes of ['un', 'deux', 'trois']) await noteAtCentral(awa!.id, notes);
    await world.settled();
    const [seen] = await world.query<{ seq: string }>(
      'other',
      `SELECT seq FROM replication_cursors WHERE origin = 'central'`,
    );
    await world.restore(backup, how);
    await world.settled();
    await noteAtCentral(awa!.id, 'depuis');
    await world.settled();
    expect(await everywhere(awa!.id)).toMatchObject({ notes: 'depuis' });
    const [last] = await world.query<{ seq: string; incarnation: number }>(
      'central',
      `SELECT seq, incarnation FROM journal WHERE origin = 'central' ORDER BY seq DESC LIMIT 1`,
    );
    expect(Number(last!.seq)).toBeGreaterThan(Number(seen!.seq));
    expect(last!.incarnation).toBe(2);
  }, 60_000);

  it('may be restored together with a region: what either has is on both afterwards', async () => {
    const [awa] = await world.create(1);
    await world.settled();
    const early = await world.backUp('region');
    await world.create(2);
    await world.settled();
    const late = await world.backUp('central');
    await world.edit(awa!.id, { phone: '+221770000009' });
    await world.create(1);
    await world.settled();

    await world.stop('central');
    await world.restore(late, how);
    await world.restore(early, how);
    await world.create(1);
    await world.settled();
    await world.expectWhole();
    expect(await world.rows('central')).toHaveLength(1 + 2 + 1);
  }, 60_000);
});
