import pg from 'pg';
import { DataSource } from 'typeorm';
import { connectionOptions } from '../../ormconfig/connection-options.js';
import { ChunkCorruptError } from '../../src/apply/apply-chunk.js';
import type { Refusal } from '../../src/apply/refusal.js';
import type { Chunk } from '../../src/journal/chunk.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { PatientsRouter } from '../../src/patients/patients.router.js';
import { CentralSession, LargeSetRefusedError } from '../../src/relay/central-session.js';
import { JournalReader } from '../../src/relay/journal-reader.js';
import { CENTRAL } from '../../src/routing/connection-names.js';
import { RoutingTable } from '../../src/routing/routing-table.js';
import { until } from '../harness/until.js';
import { aPatient, openCapturedDatabase, type CapturedDatabase } from '../journal/captured-database.js';

/** Chunks that go to central before it has answered those before them. */
describe('a session at central', () => {
  let db: CapturedDatabase;
  let source: DataSource;
  let central: pg.Client;
  let region: pg.Client;
  let session: CentralSession;
  let refused: Map<string, Refusal>;

  beforeEach(async () => {
    db = await openCapturedDatabase();
    const routes = new RoutingTable([{ entities: [Patient], router: PatientsRouter }], 'standalone');
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
    refused = new Map();
    session = await CentralSession.open(source, refused, 'test');
  });
  afterEach(async () => {
    session.close();
    await source.destroy();
    await Promise.all([central.end(), region.end()]);
    await db.close();
  });

  const create = (...notes: string[]) =>
    db.source.getRepository(Patient).save(notes.map((each) => aPatient({ notes: each })));
  const save = (patient: { id: string }, fields: Partial<Patient>) =>
    db.source.getRepository(Patient).save({ id: patient.id, ...fields });
  const chunks = async (size: number) => {
    const reader = new JournalReader(region, { origin: 'DKR', incarnation: 1, seq: 0 });
    const read: Chunk[] = [];
    for (let next = await reader.next(size); typeof next !== 'string'; next = await reader.next(size))
      read.push(next);
    return read;
  };
  const notesAtCentral = async () =>
    (await central.query<{ notes: string }>('SELECT notes FROM patients ORDER BY notes')).rows.map(
      ({ notes }) => notes,
    );
  const held = async () =>
    (
      await central.query<{ state: string; seq: string }>(
        'SELECT state, origin_seq AS seq FROM quarantine ORDER BY 2',
      )
    ).rows.map(({ state, seq }) => `${seq} ${state}`);
  const journalAtCentral = async () =>
    (
      await central.query<{ seq: string }>(
        `SELECT origin_seq AS seq FROM journal WHERE origin = 'DKR' ORDER BY journal.seq`,
      )
    ).rows.map(({ seq }) => Number(seq));

  /** Asks for `meanwhile` when the delivery of `refused` stands in the middle, and lets both go on. */
  const whileTakenApart = async <T>(refused: Chunk, meanwhile: () => Promise<T>) => {
    const other = new pg.Client({ connectionString: db.databases.centralUrl });
    await other.connect();
    await other.query('BEGIN');
    await other.query('LOCK TABLE quarantine IN SHARE MODE');
    const delivery = session.deliver(refused);
    const isWaiting = async () =>
      (await central.query(`SELECT FROM pg_locks WHERE NOT granted AND relation = 'quarantine'::regclass`))
        .rowCount === 1;
    await until(isWaiting, { what: 'it is being taken apart' });
    const asked = meanwhile();
    await other.query('COMMIT');
    await other.end();
    return Promise.all([delivery, asked]);
  };

  it('applies chunks in their order that were all handed over at once', async () => {
    for (const notes of ['a', 'b', 'c', 'd', 'e']) await create(notes);
    const read = await chunks(2);
    expect(read).toHaveLength(3);
    await Promise.all(read.map((chunk) => session.deliver(chunk)));
    expect(await notesAtCentral()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await journalAtCentral()).toEqual([1, 2, 3, 4, 5]);
  });

  it('applies what is behind a chunk that has to be taken apart after it: a lane keeps its order', async () => {
    const [first] = await create('a');
    await save(first!, { notes: 'poison' });
    await create('b');
    await save(first!, { notes: 'later' });
    await create('c');
    const deliveries = await Promise.all((await chunks(1)).map((chunk) => session.deliver(chunk)));
    expect(deliveries).toMatchObject([{ refused: 0 }, { refused: 1 }, { refused: 0 }, { waiting: 1 }, {}]);
    expect(await notesAtCentral()).toEqual(['a', 'b', 'c']);
    expect(await held()).toEqual(['2 refused', '4 waiting']);
    expect(await journalAtCentral()).toEqual([1, 3, 5]);
  });

  it('lets nothing of a later chunk into the transaction in which an earlier one is taken apart', async () => {
    for (const notes of ['poison', 'a', 'poison', 'b']) await create(notes);
    const [refused, next] = await chunks(2);
    const deliveries = await whileTakenApart(refused!, () => session.deliver(next!));
    expect(deliveries).toMatchObject([{ refused: 1 }, { refused: 1 }]);
    expect(await notesAtCentral()).toEqual(['a', 'b']);
    expect(await held()).toEqual(['1 refused', '3 refused']);
  });

  it('nor a sign of life, nor a look at the lanes: they come after it', async () => {
    for (const notes of ['poison', 'a']) await create(notes);
    const [refused] = await chunks(2);
    const transaction = `SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS "inTransaction"`;
    const answers = await whileTakenApart(refused!, () => session.askForSignOfLife(transaction, []));
    expect(answers).toMatchObject([{ refused: 1 }, [{ inTransaction: false }]]);
  });

  it('does not hold a transaction that goes on behind a chunk for another in between that is refused', async () => {
    await create('a', 'b');
    await create('poison');
    await region.query(`SET session_replication_role = 'replica'`);
    await region.query('UPDATE journal SET seq = seq + 10, origin_seq = origin_seq + 10 WHERE seq > 1');
    await region.query('UPDATE journal SET seq = 25 - seq - 10, origin_seq = 25 - seq - 10 WHERE seq > 10');
    await region.query(`SET session_replication_role = 'origin'`);
    const parts = await chunks(2);
    expect(parts.map(({ closed, count }) => [closed, count])).toEqual([
      [false, 2],
      [true, 1],
    ]);
    for (const part of parts) await session.deliver(part);
    expect(await notesAtCentral()).toEqual(['a', 'b']);
    expect(await held()).toEqual(['2 refused']);
  });

  describe('a transaction of several chunks, of which the last reaches a patient who waits in quarantine', () => {
    let parts: Chunk[];

    beforeEach(async () => {
      const [poison] = await create('poison');
      await db.source.transaction(async (manager) => {
        await manager.insert(Patient, [aPatient({ notes: 'a' }), aPatient({ notes: 'b' })]);
        await manager.save(Patient, { id: poison!.id, notes: 'later' });
      });
      const [first, ...rest] = await chunks(2);
      parts = rest;
      expect([first, ...rest].map(({ closed, count }: any) => [closed, count])).toEqual([
        [true, 1],
        [false, 2],
        [true, 1],
      ]);
      await session.deliver(first!);
      await session.deliver(parts[0]!);
      await expect(session.deliver(parts[1]!)).rejects.toThrow(LargeSetRefusedError);
      session.close();
      session = await CentralSession.open(source, refused, 'test');
    });

    it('waits whole behind that: it was not refused itself', async () => {
      for (const part of parts) await session.deliver(part);
      expect(await held()).toEqual(['1 refused', '2 waiting', '3 waiting', '4 waiting']);
      expect(await notesAtCentral()).toEqual([]);
    });

    it('is applied when the patient waits no more', async () => {
      const { rows } = await central.query<{ id: string }>(
        `UPDATE quarantine SET state = 'applied' RETURNING entity_id AS id`,
      );
      await central.query('ALTER TABLE patients DISABLE TRIGGER USER');
      await central.query(
        `INSERT INTO patients SELECT (jsonb_populate_record(NULL::patients, q.after::jsonb || $2)).*
                           FROM quarantine q WHERE entity_id = $1`,
        [rows[0]!.id, { notes: 'cured' }],
      );
      await central.query('ALTER TABLE patients ENABLE TRIGGER USER');
      for (const part of parts) await session.deliver(part);
      expect(await held()).toEqual(['1 applied']);
      expect(await notesAtCentral()).toEqual(['a', 'b', 'later']);
      expect(refused.size).toBe(0);
    });
  });

  it('does nothing behind a chunk that failed, and says why it failed', async () => {
    for (const notes of ['a', 'b']) await create(notes);
    const [damaged, next] = await chunks(1);
    const deliveries = [{ ...damaged!, digest: '1' }, next!].map((chunk) => session.deliver(chunk));
    expect(await Promise.allSettled(deliveries)).toMatchObject([
      { reason: expect.any(ChunkCorruptError) as unknown },
      { reason: expect.any(ChunkCorruptError) as unknown },
    ]);
    expect(await notesAtCentral()).toEqual([]);
    expect(await journalAtCentral()).toEqual([]);
  });
});
