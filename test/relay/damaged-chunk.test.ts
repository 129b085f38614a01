import pg from 'pg';
import { applyChunk, ChunkCorruptError } from '../../src/apply/apply-chunk.js';
import { receivingTables } from '../../src/apply/receiving-tables.js';
import { Acknowledgement } from '../../src/journal/acknowledgement.js';
import type { Chunk } from '../../src/journal/chunk.js';
import { ENTRY_COLUMN_NAMES } from '../../src/journal/entry-columns.js';
import { replicatedTables } from '../../src/journal/replicated-tables.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { ExchangeWatch } from '../../src/relay/exchange-watch.js';
import { JournalReader } from '../../src/relay/journal-reader.js';
import { Uplink } from '../../src/relay/uplink.js';
import { DataRouter } from '../../src/routing/data-router.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';
import { TcpProxy } from '../harness/tcp-proxy.js';
import { until } from '../harness/until.js';
import { aPatient, type CapturedDatabase, openCapturedDatabase } from '../journal/captured-database.js';

describe('a chunk of which one bit is wrong', () => {
  let db: CapturedDatabase;
  let central: pg.Client;
  let chunk: Chunk;

  beforeAll(async () => {
    db = await openCapturedDatabase();
    central = new pg.Client({ connectionString: db.databases.centralUrl, options: '-c medlink.capture=app' });
    await central.connect();
    await central.query(`INSERT INTO node (code) VALUES ('central')`);
    await central.query(
      `INSERT INTO replication_cursors (origin, incarnation, seq, applied_at) VALUES ('DKR', 1, 0, now())`,
    );
    const repository = db.source.getRepository(Patient);
    const [patient] = await repository.save([aPatient({ bloodGroup: 'A+' }), aPatient()]);
    await repository.save({ id: patient!.id, phone: '+221771000000', reason: 'x' });
    const read = await new JournalReader(db.outside, { origin: 'DKR', incarnation: 1, seq: 0 }).next(100);
    if (typeof read === 'string') throw new Error(read);
    chunk = read;
  });
  afterAll(async () => {
    await central.end();
    await db.close();
  });

  /** What central would hold after it, or why it refused. */
  const outcomeOf = async (sent: Chunk): Promise<unknown> => {
    const tables = await receivingTables(central, replicatedTables(db.source));
    await central.query('BEGIN');
    try {
      await applyChunk(central, tables, sent);
      const { rows } = await central.query(
        `SELECT (SELECT jsonb_agg(to_jsonb(j) - 'seq' ORDER BY origin_seq) FROM journal j) AS journal,
                (SELECT jsonb_agg(to_jsonb(p) ORDER BY id) FROM patients p) AS patients,
                (SELECT jsonb_agg(to_jsonb(c) - 'applied_at') FROM replication_cursors c) AS cursors`,
      );
      return rows[0];
    } catch (error) {
      return error;
    } finally {
      await central.query('ROLLBACK');
    }
  };

  it('is never applied as something else, whichever bit it is', async () => {
    const intact = await outcomeOf(chunk);
    expect(intact).toMatchObject({ patients: [{}, {}], journal: [{}, {}, {}] });
    let refused = 0;
    for (const column of ENTRY_COLUMN_NAMES) {
      const bytes = chunk.entries[column]!;
      const step = Math.max(1, Math.floor(bytes.length / 40));
      for (let at = 0; at < bytes.length; at += step) {
        const damaged = Buffer.from(bytes);
        damaged[at]! ^= 1 << (at % 8);
        const outcome = await outcomeOf({ ...chunk, entries: { ...chunk.entries, [column]: damaged } });
        if (outcome instanceof ChunkCorruptError) refused += 1;
        // Some bits of an array say nothing, such as from where its elements are counted.
        else expect({ column, at, outcome }).toEqual({ column, at, outcome: intact });
      }
    }
    expect(refused).toBeGreaterThan(300);
  }, 60_000);

  // Planned for its values, a statement may look at them before it runs; it is planned so five times in each session.
  it.each(['force_custom_plan', 'force_generic_plan'])(
    'nor as a change that central refuses, when it is no JSON any more (%s)',
    async (mode) => {
      await central.query(`SET plan_cache_mode = ${mode}`);
      for (const column of ['before', 'after'] as const) {
        const damaged = Buffer.from(chunk.entries[column]!);
        for (let at = damaged.indexOf('{'); at >= 0; at = damaged.indexOf('{', at)) damaged[at] = 0x5b;
        const outcome = await outcomeOf({ ...chunk, entries: { ...chunk.entries, [column]: damaged } });
        expect(outcome).toBeInstanceOf(ChunkCorruptError);
      }
      await central.query('RESET plan_cache_mode');
    },
  );

  it('nor when it is of the stretch of the journal that the chunk fills', async () => {
    expect(await outcomeOf({ ...chunk, through: chunk.through + 1 })).toBeInstanceOf(ChunkCorruptError);
    expect(await outcomeOf({ ...chunk, after: 1 })).toBeInstanceOf(ChunkCorruptError);
    expect(await outcomeOf({ ...chunk, origin: 'THS' })).toBeInstanceOf(ChunkCorruptError);
  });
});

describe('a line that damages what it carries', () => {
  let centralDatabases: TestDatabases;
  let wire: TcpProxy;
  let node: TestApplication;
  let central: pg.Client;

  beforeEach(async () => {
    centralDatabases = await cloneDatabases();
    wire = await TcpProxy.before(centralDatabases.centralUrl);
    node = await startApplication({ DATABASE_DEFAULT_URL: wire.url });
    central = new pg.Client({ connectionString: centralDatabases.centralUrl });
    await central.connect();
    await until(() => state().status === 'up', { what: 'the link is up' });
  });
  let watch: ExchangeWatch | undefined;
  let damage: NodeJS.Timeout | undefined;
  afterEach(async () => {
    clearInterval(damage);
    await watch?.beforeApplicationShutdown();
    await node.stop();
    await central.end();
    await wire.close();
    await centralDatabases.drop();
  });

  const state = () => node.app.get(Uplink).state;
  const create = (patients: Patient[]) =>
    node.app.get(DataRouter).transaction(Patient, { actor: 'test' }, async (manager) => {
      for (let from = 0; from < patients.length; from += 100)
        await manager.insert(Patient, patients.slice(from, from + 100));
    });
  const rows = async (side: pg.Client) =>
    (await side.query<{ row: object }>('SELECT to_jsonb(p) AS row FROM patients p ORDER BY id')).rows;
  const whenAtCentral = (count: number) =>
    until(async () => (await rows(central)).length === count, { what: 'all at central', timeoutMs: 20_000 });

  it.each([
    ['another value', 'Pénicilline-7', 'Pénicilline-8'],
    ['what no text may hold', 'Pénicilline-7', 'Pénicill\0ne-7'],
  ])('%s: the chunk is sent again, and nothing goes to quarantine', async (_, from, to) => {
    wire.damage(from, to);
    await create([aPatient({ allergies: ['Pénicilline-7'] })]);
    await whenAtCentral(1);
    expect(wire.hasDamaged).toBe(true);
    expect(state().lastError?.code).toBe('CHUNK_CORRUPT');
    expect(await rows(central)).toEqual(await rows(node.regionale));
    expect((await central.query('SELECT FROM quarantine')).rowCount).toBe(0);
    expect((await node.regionale.query('SELECT FROM alerts')).rowCount).toBe(0);
  });

  it('in the middle of a transaction larger than a chunk: the same', async () => {
    const many = Array.from({ length: 1_300 }, () => aPatient());
    many[900]!.notes = 'marked';
    wire.damage('marked', 'mar\0ed');
    await create(many);
    await whenAtCentral(1_300);
    expect(wire.hasDamaged).toBe(true);
    expect(state().lastError?.code).toBe('CHUNK_CORRUPT');
    expect((await central.query('SELECT FROM quarantine')).rowCount).toBe(0);
  });

  it('what comes down from central: it is read again', async () => {
    const patient = aPatient();
    await create([patient]);
    await whenAtCentral(1);
    wire.damage('marked', 'masked', 'answers');
    await central.query(`UPDATE patients SET notes = 'marked' WHERE id = $1`, [patient.id]);
    const notes = async () =>
      (await rows(node.regionale)).map(({ row }) => (row as { notes: string | null }).notes);
    const seen = new Set<string | null>();
    const isThere = async () => {
      for (const each of await notes()) seen.add(each);
      return seen.has('marked');
    };
    await until(isThere, { what: 'it came down' });
    expect(wire.hasDamaged).toBe(true);
    expect([...seen]).not.toContain('masked');
  });

  it('again and again: an alert tells of it once, and when the line is good, all arrives', async () => {
    watch = new ExchangeWatch(node.app.get(DataRouter), node.app.get(Acknowledgement), node.app.get(Uplink), {
      afterMs: 90_000,
      lookEveryMs: 20,
    });
    watch.onApplicationBootstrap();
    damage = setInterval(() => {
      wire.damage('marked', 'masked');
    }, 1);
    await create([aPatient({ notes: 'marked' })]);
    const alerts = async () =>
      (await node.regionale.query(`SELECT count, subject FROM alerts WHERE code = 'CHUNK_CORRUPT'`)).rows;
    await until(async () => (await alerts()).length > 0, { what: 'the alert' });
    expect(await rows(central)).toEqual([]);
    clearInterval(damage);
    wire.damage('nothing that is sent', 'nothing that is sent');
    await whenAtCentral(1);
    expect(await alerts()).toEqual([{ count: '3', subject: 'central' }]);
    expect(await rows(central)).toEqual(await rows(node.regionale));
  });
});
