import pg from 'pg';
import { uuidv7 } from 'uuidv7';
import type { Chunk } from '../../src/journal/chunk.js';
import { JournalReader } from '../../src/relay/journal-reader.js';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';

/** Reading the journal: in order, never past a gap that may still be filled, and never half a change set. */
describe('the journal reader', () => {
  let databases: TestDatabases;
  const clients: pg.Client[] = [];
  const connect = async () => {
    const client = new pg.Client({ connectionString: databases.regionaleUrl });
    await client.connect();
    clients.push(client);
    return client;
  };

  beforeEach(async () => {
    databases = await cloneDatabases();
    const client = await connect();
    await client.query(`INSERT INTO node (code) VALUES ('DKR')`);
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()));
    await databases.drop();
  });

  /** Appends one entry in the client's running transaction, as the flush does: the row first, then the seq. */
  const append = async (
    client: pg.Client,
    { origin = 'DKR', changeSet = 0, size = 1, entity = 'patients' } = {},
  ) => {
    const result = await client.query<{ seq: string }>(
      `WITH drawn AS (SELECT pg_current_xact_id()::text::bigint AS xid), numbered AS (SELECT nextval('journal_seq') AS seq, xid FROM drawn)
       INSERT INTO journal (seq, origin, origin_seq, incarnation, change_set, change_set_size, entity, entity_id, op,
                            after, knows, actor, at, schema, captured_by)
       SELECT seq, $1, seq, 1, CASE WHEN $2::bigint = 0 THEN xid ELSE $2::bigint END, $3, $5, $4, 'insert',
              '{}', 0, 'test', now(), 1, 'application'
       FROM numbered RETURNING seq`,
      [origin, changeSet, size, uuidv7(), entity],
    );
    return Number(result.rows[0]!.seq);
  };
  const reader = async (limit = 100) => {
    const journal = new JournalReader(await connect(), { origin: 'DKR', incarnation: 1, seq: 0 });
    return { next: () => journal.next(limit) };
  };
  const seqs = (chunk: unknown) => bigintsOf((chunk as Chunk).entries.origin_seq!);

  it('gives what is there in order, then says that the journal ends', async () => {
    const client = await connect();
    for (let i = 0; i < 5; i++) await append(client);
    const journal = await reader(3);
    const first = await journal.next();
    expect(first).toMatchObject({ after: 0, through: 3, count: 3, closed: true, tables: { patients: 1 } });
    expect(seqs(first)).toEqual([1, 2, 3]);
    expect(seqs(await journal.next())).toEqual([4, 5]);
    expect(await journal.next()).toBe('end');
  });

  it('keeps the order when entries of several tables alternate, change set by change set or not', async () => {
    const client = await connect();
    for (const entity of ['patients', 'hosts', 'patients', 'conflicts', 'hosts'])
      await append(client, { entity });
    const plain = await (await reader()).next();
    expect(seqs(plain)).toEqual([1, 2, 3, 4, 5]);
    await append(client, { changeSet: 9, size: 2, entity: 'patients' });
    await append(client, { changeSet: 9, size: 2, entity: 'hosts' });
    const other = await (await reader()).next();
    expect(seqs(other)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    for (const { tables } of [plain, other] as Chunk[])
      expect(tables).toEqual({ conflicts: 1, hosts: 1, patients: 1 });
  });

  it('waits before a lower seq that commits after a higher one, and then gives it first', async () => {
    const [slow, fast] = [await connect(), await connect()];
    await slow.query('BEGIN');
    const low = await append(slow);
    const high = await append(fast);
    expect(high).toBeGreaterThan(low);
    const journal = await reader();
    expect(await journal.next()).toBe('gap');
    expect(await journal.next()).toBe('gap');
    await slow.query('COMMIT');
    expect(seqs(await journal.next())).toEqual([low, high]);
  });

  it('waits also when the slow transaction is the younger one: its id is above all that have ended', async () => {
    const [older, younger] = [await connect(), await connect()];
    await older.query('BEGIN');
    await older.query('SELECT pg_current_xact_id()');
    await younger.query('BEGIN');
    const low = await append(younger);
    const high = await append(older);
    await older.query('COMMIT');
    const journal = await reader();
    expect(await journal.next()).toBe('gap');
    expect(await journal.next()).toBe('gap');
    await younger.query('COMMIT');
    expect(seqs(await journal.next())).toEqual([low, high]);
  });

  it('gives what lies before the gap without waiting', async () => {
    const [slow, fast] = [await connect(), await connect()];
    const before = await append(fast);
    await slow.query('BEGIN');
    await append(slow);
    await append(fast);
    const journal = await reader();
    expect(seqs(await journal.next())).toEqual([before]);
    expect(await journal.next()).toBe('gap');
    await slow.query('COMMIT');
    expect(seqs(await journal.next())).toHaveLength(2);
  });

  it('passes a gap that was rolled back, even while younger transactions run on', async () => {
    const [lost, kept, younger] = [await connect(), await connect(), await connect()];
    await lost.query('BEGIN');
    await append(lost);
    const high = await append(kept);
    const journal = await reader();
    expect(await journal.next()).toBe('gap');
    await younger.query('BEGIN');
    await younger.query('SELECT pg_current_xact_id()');
    await lost.query('ROLLBACK');
    expect(seqs(await journal.next())).toEqual([high]);
    expect(await journal.next()).toBe('end');
    await younger.query('ROLLBACK');
  });

  it('does not wait for a transaction that has drawn no position, however long it has been open', async () => {
    const [older, lost, kept] = [await connect(), await connect(), await connect()];
    await older.query('BEGIN');
    await older.query('SELECT pg_current_xact_id()');
    await lost.query('BEGIN');
    await append(lost);
    await lost.query('ROLLBACK');
    const high = await append(kept);
    const journal = await reader();
    expect(seqs(await journal.next())).toEqual([high]);
    await older.query('COMMIT');
  });

  it('passes a gap left by a crash at once: nobody is left to fill it', async () => {
    const client = await connect();
    await append(client);
    await client.query(`SELECT setval('journal_seq', 33)`);
    await append(client);
    const journal = await reader();
    expect(seqs(await journal.next())).toEqual([1]);
    expect(seqs(await journal.next())).toEqual([34]);
  });

  it('never ends a chunk inside a change set, also when two of them interleave', async () => {
    const [a, b] = [await connect(), await connect()];
    await append(a);
    await a.query('BEGIN');
    await b.query('BEGIN');
    await append(a, { size: 2 });
    await append(b, { size: 2 });
    await append(a, { size: 2 });
    await append(b, { size: 2 });
    await a.query('COMMIT');
    await b.query('COMMIT');
    await append(a);
    const journal = await reader(4);
    expect(seqs(await journal.next())).toEqual([1]);
    expect(seqs(await journal.next())).toEqual([2, 3, 4, 5]);
    expect(seqs(await journal.next())).toEqual([6]);
  });

  it('carries a change set that is larger than a chunk in several, and ends the last where the set ends', async () => {
    const client = await connect();
    await append(client);
    await client.query('BEGIN');
    for (let i = 0; i < 10; i++) await append(client, { size: 10 });
    await client.query('COMMIT');
    await append(client);
    const journal = await reader(4);
    const chunks: Chunk[] = [];
    for (let chunk = await journal.next(); typeof chunk !== 'string'; chunk = await journal.next())
      chunks.push(chunk);
    expect(chunks.map(({ through, closed }) => [through, closed])).toEqual([
      [1, true],
      [5, false],
      [9, false],
      [11, true],
      [12, true],
    ]);
    expect(chunks.flatMap(seqs)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it('keeps what a chunk holds until it is done with, also while others are read', async () => {
    const client = await connect();
    for (let i = 0; i < 10; i++) await append(client);
    const journal = new JournalReader(await connect(), { origin: 'DKR', incarnation: 1, seq: 0 });
    const chunks = [await journal.next(2), await journal.next(2), await journal.next(2)];
    expect(chunks.map(seqs)).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    journal.done(chunks[1] as Chunk);
    chunks.push(await journal.next(2), await journal.next(2));
    expect([chunks[0], ...chunks.slice(2)].map(seqs)).toEqual([
      [1, 2],
      [5, 6],
      [7, 8],
      [9, 10],
    ]);
    const memoryOf = (chunk: unknown) => (chunk as Chunk).entries.origin_seq!.buffer;
    expect(memoryOf(chunks[4])).toBe(memoryOf(chunks[1]));
  });

  it('carries only what this node made, and still moves past the rest', async () => {
    const client = await connect();
    await append(client);
    await append(client, { origin: 'central', changeSet: 77, size: 5 });
    await append(client);
    await append(client, { origin: 'central', changeSet: 78, size: 5 });
    const journal = await reader();
    const chunk = await journal.next();
    expect(seqs(chunk)).toEqual([1, 3]);
    expect(chunk).toMatchObject({ through: 4, count: 2, closed: true });
  });
});

/** The elements of a binary array of bigints: a header of 20 bytes, then each with its length before it. */
function bigintsOf(array: Buffer): number[] {
  return Array.from({ length: (array.length - 20) / 12 }, (_, index) =>
    Number(array.readBigInt64BE(20 + index * 12 + 4)),
  );
}
