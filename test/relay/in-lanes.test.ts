import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { connectionOptions } from '../../ormconfig/connection-options.js';
import { applyInLanes } from '../../src/apply/apply-in-lanes.js';
import type { LaneOutcome } from '../../src/apply/lanes.js';
import { receivingTables } from '../../src/apply/receiving-tables.js';
import { retryLanes } from '../../src/apply/retry-lanes.js';
import { Conflict } from '../../src/conflicts/conflict.entity.js';
import { openClient, type OwnClient } from '../../src/databases/own-client.js';
import type { Chunk } from '../../src/journal/chunk.js';
import { replicatedTables } from '../../src/journal/replicated-tables.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { PatientsRouter } from '../../src/patients/patients.router.js';
import { Region } from '../../src/regions/region.entity.js';
import { CentralSession } from '../../src/relay/central-session.js';
import { JournalReader } from '../../src/relay/journal-reader.js';
import { CENTRAL } from '../../src/routing/connection-names.js';
import { RoutingTable } from '../../src/routing/routing-table.js';
import { aPatient, openCapturedDatabase, type CapturedDatabase } from '../journal/captured-database.js';

const CLOSED = { refused: new Map(), open: new Set<string>() };
const DECISION = { by: 'judge', byName: 'Judge', reason: 'to see' };

/** A chunk with changes of patients whom others have changed meanwhile, which are told by their `notes`. */
describe('a chunk that is applied in lanes', () => {
  let db: CapturedDatabase;
  let source: DataSource;
  let central: pg.Client;
  let region: pg.Client;
  let relay: OwnClient;
  let reader: JournalReader;

  beforeEach(async () => {
    db = await openCapturedDatabase();
    const features = [{ entities: [Patient, Conflict, Region], router: PatientsRouter }];
    const routes = new RoutingTable(features, 'standalone');
    source = await new DataSource(connectionOptions(CENTRAL, db.databases.centralUrl, routes)).initialize();
    central = new pg.Client({ connectionString: db.databases.centralUrl });
    region = new pg.Client({ connectionString: db.databases.regionaleUrl, options: '-c TimeZone=UTC' });
    await Promise.all([central.connect(), region.connect()]);
    await central.query(`INSERT INTO node (code) VALUES ('central')`);
    await central.query(
      `INSERT INTO replication_cursors (origin, incarnation, seq, applied_at) VALUES ('DKR', 1, 0, now())`,
    );
    await central.query(
      `ALTER TABLE patients ADD CONSTRAINT no_poison CHECK (notes IS DISTINCT FROM 'poison')`,
    );
    relay = await openClient(source, 10_000, { pipeline: true });
    reader = new JournalReader(region, { origin: 'DKR', incarnation: 1, seq: 0 });
  });
  afterEach(async () => {
    relay.close();
    await source.destroy();
    await Promise.all([central.end(), region.end()]);
    await db.close();
  });

  const tables = () => receivingTables(central, replicatedTables(source));
  const nextChunk = async (size = 1_000) => (await reader.next(size)) as Chunk;
  const apply = async (chunk: Chunk, known = CLOSED): Promise<LaneOutcome> =>
    applyInLanes(relay.client, await tables(), chunk, known);
  const applyNext = async () => {
    await relay.client.query('BEGIN');
    const outcome = await apply(await nextChunk());
    await relay.client.query('COMMIT');
    return outcome;
  };
  /** Patients whom central has, and whose phone it has changed since, by the names that are given. */
  const changedAtCentral = async (...names: string[]) => {
    const patients = await create(...names);
    await applyNext();
    await central.query(`UPDATE patients SET phone = '+221780000000' WHERE notes = ANY($1)`, [names]);
    return patients.map(({ id }) => id);
  };
  const create = (...notes: string[]) =>
    db.source.getRepository(Patient).save(notes.map((each) => aPatient({ notes: each })));
  const note = (id: string | undefined, notes: string) =>
    db.source.getRepository(Patient).save({ id, notes });
  const noteTogether = (...notes: [id: string | undefined, notes: string][]) =>
    db.source.transaction((manager) =>
      manager.save(
        Patient,
        notes.map(([id, each]) => ({ id: id!, notes: each })),
      ),
    );
  const notesOf = async (ids: (string | undefined)[]) => {
    const { rows } = await central.query<{ notes: string }>(
      'SELECT notes FROM unnest($1::uuid[]) WITH ORDINALITY AS asked(id, nth) JOIN patients USING (id) ORDER BY nth',
      [ids],
    );
    return rows.map(({ notes }) => notes);
  };
  /** What was noted, in the order of central's quarantine or journal. */
  const held = async () => {
    const { rows } = await central.query<{ held: string }>(
      `SELECT state || ' ' || (after ->> 'notes') AS held FROM quarantine ORDER BY id`,
    );
    return rows.map((row) => row.held);
  };
  const journaled = async (id: string | undefined) => {
    const { rows } = await central.query<{ said: string }>(
      `SELECT origin || ' ' || op || coalesce(' ' || (after ->> 'notes'), '') AS said FROM journal
       WHERE entity_id = $1 ORDER BY seq`,
      [id],
    );
    return rows.map(({ said }) => said);
  };

  it('is merged patient by patient in order, each entry before what is told of it', async () => {
    const [awa, binta] = await changedAtCentral('awa', 'binta');
    await note(awa, 'awa 1');
    await note(binta, 'binta 1');
    const [other] = await create('other');
    await note(awa, 'awa 2');
    await noteTogether([other!.id, 'other 1'], [binta, 'binta 2']);
    await note(other!.id, 'other 2');
    expect(await applyNext()).toMatchObject({ applied: 7, refused: 0, waiting: 0 });
    expect(await notesOf([awa, binta, other!.id])).toEqual(['awa 2', 'binta 2', 'other 2']);
    const verdicts = ['DKR update awa 1', 'central merge', 'DKR update awa 2', 'central merge'];
    expect(await journaled(awa)).toEqual(['DKR insert awa', 'central update', ...verdicts]);
    expect(await journaled(other!.id)).toEqual(
      ['insert other', 'update other 1', 'update other 2'].map((said) => `DKR ${said}`),
    );
  });

  it('tries each of a burst of refused sets once, and few more to find where it begins and ends', async () => {
    const notes = [...Array<string>(12).fill('poison'), ...Array<string>(20).fill('fine')];
    for (const each of notes) await create(each);
    const query = jest.spyOn(relay.client, 'query');
    expect(await applyNext()).toMatchObject({ applied: 20, refused: 12, waiting: 0 });
    const attempts = query.mock.calls.filter(
      ([asked]) => (asked as unknown as { text?: string }).text === 'SAVEPOINT attempt',
    );
    // By halves it would be 27.
    expect(attempts.length).toBeLessThanOrEqual(12 + 2 * Math.log2(notes.length));
  });

  it('leaves no savepoint behind, however much was refused', async () => {
    for (const each of ['fine', 'poison', 'poison']) await create(each);
    await relay.client.query('BEGIN');
    expect(await apply(await nextChunk())).toMatchObject({ applied: 1, refused: 2 });
    const back = relay.client.query('ROLLBACK TO SAVEPOINT attempt');
    await expect(back).rejects.toMatchObject({ code: '3B001' });
    await relay.client.query('ROLLBACK');
  });

  it('of several sets that have to be merged, the one at fault alone is refused, and what comes behind it waits', async () => {
    const ids = await changedAtCentral('a', 'b', 'c', 'd', 'e');
    for (const id of ids) await note(id, id === ids[2] ? 'poison' : 'fine');
    await note(ids[2], 'later');
    await note(ids[3], 'again');
    expect(await applyNext()).toMatchObject({ applied: 5, refused: 1, waiting: 1 });
    expect(await held()).toEqual(['refused poison', 'waiting later']);
    expect(await notesOf(ids)).toEqual(['fine', 'fine', 'c', 'again', 'fine']);
    expect(await journaled(ids[2])).toEqual(['DKR insert c', 'central update']);
  });

  it('what is refused though it stands alone holds up what has to be merged behind it, and so on', async () => {
    const [awa, binta] = await changedAtCentral('awa', 'binta');
    const [alone] = await create('alone');
    await note(awa, 'first');
    await note(alone!.id, 'poison');
    await noteTogether([alone!.id, 'with awa'], [awa, 'with alone']);
    await note(awa, 'last');
    await note(binta, 'fine');
    expect(await applyNext()).toMatchObject({ applied: 3, refused: 1, waiting: 3 });
    expect(await held()).toEqual([
      'refused poison',
      'waiting with awa',
      'waiting with alone',
      'waiting last',
    ]);
    expect(await notesOf([awa, binta, alone!.id])).toEqual(['first', 'fine', 'alone']);
  });

  it('is applied once in each part of a transaction that is larger than a chunk', async () => {
    const ids = await changedAtCentral('a', 'b', 'c');
    await noteTogether(...ids.map((id): [string, string] => [id, 'together']));
    const parts = [await nextChunk(1), await nextChunk(1), await nextChunk(1)];
    const open = new Set(parts.flatMap(({ openSets }) => openSets));
    expect(open.size).toBe(1);
    await relay.client.query('BEGIN');
    for (const part of parts) expect(await apply(part, { ...CLOSED, open })).toMatchObject({ applied: 1 });
    await relay.client.query('COMMIT');
    expect(await notesOf(ids)).toEqual(['together', 'together', 'together']);
    for (const id of ids) expect(await journaled(id)).toHaveLength(4);
  });

  it('goes down to who has the patient, also in a transaction that began with a patient whom nobody else has', async () => {
    const [own, shared] = await create('own', 'shared');
    await applyNext();
    await central.query('SELECT hosts_open_homes($1)', [[shared!.id]]);
    await central.query(
      `INSERT INTO hosts (id, patient_id, region, kind, created_at, created_by)
       VALUES (gen_random_uuid(), $1, 'THS', 'copy', now(), 'test')`,
      [shared!.id],
    );
    await db.source.transaction(async (manager) => {
      await manager.save(Patient, { id: own!.id, notes: 'own 1' });
      await manager.save(Patient, { id: shared!.id, notes: 'shared 1' });
    });
    const session = await CentralSession.open(source, new Map(), 'test');
    for (const part of [await nextChunk(1), await nextChunk(1)]) await session.deliver(part);
    session.close();
    const { rows } = await central.query<{ notes: string }>(
      `SELECT j.after ->> 'notes' AS notes FROM deliveries d JOIN journal j USING (seq)
       WHERE d.region = 'THS' AND j.origin = 'DKR' ORDER BY seq`,
    );
    expect(rows).toEqual([{ notes: 'shared 1' }]);
  });

  it('is taken up again after a transaction that was rolled back, on the same session', async () => {
    await create('a');
    const chunk = await nextChunk();
    await relay.client.query('BEGIN');
    await apply(chunk);
    await relay.client.query('ROLLBACK');
    await relay.client.query('BEGIN');
    expect(await apply(chunk)).toMatchObject({ applied: 1 });
    await relay.client.query('COMMIT');
    const [added] = await create('b');
    expect(await applyNext()).toMatchObject({ applied: 1 });
    expect(await notesOf([added!.id])).toEqual(['b']);
  });

  it('finds its session in order after hours, when the session has thrown away what it kept', async () => {
    const session = await CentralSession.open(source, new Map(), 'test');
    const node = { id: randomUUID(), code: 'DKR', incarnation: 1 };
    await session.register(node);
    const [awa] = await changedAtCentral('awa');
    const tablesKept = async () =>
      (await session.ask(`SELECT FROM pg_class WHERE oid = to_regclass('pg_temp.incoming_entries')`)).length;
    const deliverNote = async (notes: string) => {
      await note(awa, notes);
      await session.deliver(await nextChunk());
      await session.noteSignOfLife(node);
      return tablesKept();
    };
    expect(await deliverNote('first')).toBe(1);
    const now = performance.now() + 2 * 3_600_000;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
    expect(await deliverNote('second')).toBe(0);
    clock.mockRestore();
    expect(await deliverNote('third')).toBe(1);
    expect(await notesOf([awa])).toEqual(['third']);
    session.close();
  });

  it('goes on in quarantine behind a lane that fails again, and after a retry that was rolled back', async () => {
    const [awa, binta] = await changedAtCentral('awa', 'binta');
    await noteTogether([awa, 'poison'], [binta, 'poison']);
    await note(awa, 'cured');
    expect(await applyNext()).toMatchObject({ applied: 0, refused: 2, waiting: 1 });
    const retry = async () => retryLanes(relay.client, await tables(), [awa!], DECISION);
    await relay.client.query('BEGIN');
    expect(await retry()).toMatchObject({ applied: 0, refused: 2, waiting: 1 });
    await relay.client.query('ROLLBACK');
    await central.query('ALTER TABLE patients DROP CONSTRAINT no_poison');
    await relay.client.query('BEGIN');
    expect(await retry()).toMatchObject({ applied: 3, refused: 0 });
    await relay.client.query('COMMIT');
    expect(await notesOf([awa, binta])).toEqual(['cured', 'poison']);
  });
});
