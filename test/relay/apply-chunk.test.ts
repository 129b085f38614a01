import pg from 'pg';
import { applyChunk, CursorMovedError } from '../../src/apply/apply-chunk.js';
import { receivingTables } from '../../src/apply/receiving-tables.js';
import { UnknownEntityError } from '../../src/apply/write-entries.js';
import type { Chunk } from '../../src/journal/chunk.js';
import { replicatedTables } from '../../src/journal/replicated-tables.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { JournalReader } from '../../src/relay/journal-reader.js';
import { aPatient, openCapturedDatabase, type CapturedDatabase } from '../journal/captured-database.js';

/** Applying a chunk: all of it or nothing, once, and the same rows as where it came from. */
describe('the applier', () => {
  let db: CapturedDatabase;
  let central: pg.Client;
  let region: pg.Client;

  beforeEach(async () => {
    db = await openCapturedDatabase();
    central = new pg.Client({ connectionString: db.databases.centralUrl, options: '-c medlink.capture=app' });
    region = new pg.Client({ connectionString: db.databases.regionaleUrl, options: '-c TimeZone=UTC' });
    await Promise.all([central.connect(), region.connect()]);
    await central.query(`INSERT INTO node (code) VALUES ('central')`);
    await central.query(
      `INSERT INTO replication_cursors (origin, incarnation, seq, applied_at) VALUES ('DKR', 1, 0, now())`,
    );
  });
  afterEach(async () => {
    await Promise.all([central.end(), region.end()]);
    await db.close();
  });

  const tables = () => receivingTables(central, replicatedTables(db.source));
  const nextChunk = async (after = 0, size = 1000) => {
    const chunk = await new JournalReader(region, { origin: 'DKR', incarnation: 1, seq: after }).next(size);
    if (typeof chunk === 'string') throw new Error(`There is nothing to send: ${chunk}`);
    return chunk;
  };
  const apply = async (chunk: Chunk) => applyChunk(central, await tables(), chunk);
  const atCentral = async () =>
    (await central.query<{ row: unknown }>('SELECT to_jsonb(p) AS row FROM patients p ORDER BY id')).rows.map(
      ({ row }) => row,
    );
  const cursor = async () =>
    Number((await central.query<{ seq: string }>('SELECT seq FROM replication_cursors')).rows[0]!.seq);
  const repository = () => db.source.getRepository(Patient);

  it('a change that is no object is refused, as it cannot be of any column', async () => {
    await repository().save(aPatient());
    await apply(await nextChunk());
    await region.query(
      `INSERT INTO journal SELECT (jsonb_populate_record(j, jsonb_build_object(
         'seq', nextval('journal_seq'), 'origin_seq', currval('journal_seq'), 'change_set', -1, 'op', 'update',
         'after', '["notes"]'::jsonb))).* FROM journal j`,
    );
    await expect(apply(await nextChunk(1))).rejects.toMatchObject({ code: 'ML003' });
    expect(await atCentral()).toEqual(await db.rows());
  });

  it('several changes of one row in one chunk end as the row ended, whatever they were', async () => {
    const [edited, dropped, brief, reborn] = await repository().save([
      aPatient(),
      aPatient(),
      aPatient(),
      aPatient(),
    ]);
    await apply(await nextChunk());
    expect(await atCentral()).toEqual(await db.rows());

    await repository().save({ id: edited!.id, notes: 'a', phone: null });
    await repository().save({ id: edited!.id, notes: 'b', allergies: ['Arachide', `l'"iode"`] });
    await repository().remove({ ...dropped! });
    const fleeting = await repository().save(aPatient());
    await repository().save({ id: fleeting.id, notes: 'x' });
    await repository().remove(fleeting);
    await repository().save({ id: brief!.id, deceasedAt: '2026-02-01T10:00:00.000Z' });
    const again = { ...reborn! };
    await repository().remove(reborn!);
    await db.source.transaction((manager) =>
      manager.insert(Patient, {
        ...again,
        notes: null,
        phone: null,
        location: { latitude: 14.5, longitude: -17 },
      }),
    );
    await apply(await nextChunk(await cursor()));
    expect(await atCentral()).toEqual(await db.rows());
    expect(await db.rows()).toHaveLength(3);
  });

  it('keeps the whole journal, with where each entry came from and in its order', async () => {
    const patient = await repository().save(aPatient());
    await repository().save({ id: patient.id, notes: 'a' });
    await apply(await nextChunk());
    const copied = await central.query<Record<string, unknown>>('SELECT * FROM journal ORDER BY seq');
    const own = await region.query<Record<string, unknown>>('SELECT * FROM journal ORDER BY seq');
    const withoutSeq = ({ seq: _, ...entry }: Record<string, unknown>) => entry;
    expect(copied.rows.map(withoutSeq)).toEqual(own.rows.map(withoutSeq));
  });

  it('a chunk that was applied already changes nothing', async () => {
    await repository().save(aPatient());
    const chunk = await nextChunk();
    await apply(chunk);
    await expect(apply(chunk)).rejects.toBeInstanceOf(CursorMovedError);
    expect(await atCentral()).toHaveLength(1);
    expect((await central.query('SELECT FROM journal')).rowCount).toBe(1);
  });

  it('two relays at once: one applies, the other is told that the cursor moved', async () => {
    await repository().save([aPatient(), aPatient()]);
    const chunk = await nextChunk();
    const rival = new pg.Client({
      connectionString: db.databases.centralUrl,
      options: '-c medlink.capture=app',
    });
    await rival.connect();
    const known = await tables();
    const outcomes = await Promise.allSettled([apply(chunk), applyChunk(rival, known, chunk)]);
    await rival.end();
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await atCentral()).toEqual(await db.rows());
    expect((await central.query('SELECT FROM journal')).rowCount).toBe(2);
  });

  it('a change to a row that is not there applies nothing and moves no cursor', async () => {
    const [known, lost] = await repository().save([aPatient(), aPatient()]);
    await apply(await nextChunk());
    await central.query('DELETE FROM patients WHERE id = $1', [lost!.id]);
    const before = await atCentral();
    await repository().save({ id: known!.id, notes: 'a' });
    await repository().save({ id: lost!.id, notes: 'b' });
    const at = await cursor();
    await expect(apply(await nextChunk(at))).rejects.toThrow(/rows of patients to change or remove/);
    expect(await atCentral()).toEqual(before);
    expect(await cursor()).toBe(at);
  });

  it('records of a kind that this version does not know are refused before anything is sent', async () => {
    await repository().save(aPatient());
    const chunk = { ...(await nextChunk()), tables: { inventions: 1 } };
    await expect(apply(chunk)).rejects.toBeInstanceOf(UnknownEntityError);
    expect(await cursor()).toBe(0);
  });
});
