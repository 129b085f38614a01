import fc from 'fast-check';
import pg from 'pg';
import { sendAll } from '../../src/apply/send-all.js';
import { copyOut, CopyMessages } from '../../src/databases/copy-out.js';
import { queryWithBytes } from '../../src/databases/query-with-bytes.js';
import { ReusedBytes } from '../../src/databases/reused-bytes.js';
import { sendAhead } from '../../src/databases/send-ahead.js';
import { createEmptyDatabase, type TestDatabase } from '../harness/databases.js';

/** What the relay does past the driver, for the sake of many bytes and of few packets. */
describe('bytes past the driver', () => {
  let database: TestDatabase;
  let client: pg.Client;
  let pipelining: pg.Client;

  beforeAll(async () => {
    database = await createEmptyDatabase();
    client = new pg.Client({ connectionString: database.url });
    // The driver's types do not know of `pipeline` yet.
    pipelining = new pg.Client({ connectionString: database.url, pipeline: true });
    await Promise.all([client.connect(), pipelining.connect()]);
  });
  afterAll(async () => {
    await Promise.all([client.end(), pipelining.end()]);
    await database.drop();
  });

  describe('copyOut', () => {
    const copied = async (statement: string) => {
      const memory = new ReusedBytes();
      await copyOut(client, `COPY (${statement}) TO STDOUT`, memory);
      return memory.bytes.toString();
    };

    it('gives all that is sent, larger than any packet', async () => {
      const text = await copied(`SELECT repeat('é', 3000000)`);
      expect(text).toBe(`${'é'.repeat(3_000_000)}\n`);
    });

    it('leaves what is not data to the driver: notices, errors, the end', async () => {
      const notices: string[] = [];
      client.on('notice', ({ message }) => notices.push(message ?? ''));
      await client.query(
        `CREATE FUNCTION pg_temp.say(n int) RETURNS int LANGUAGE plpgsql AS
         $$ BEGIN RAISE NOTICE 'row %', n; RETURN 6 / (3 - n); END $$`,
      );
      expect(await copied('SELECT pg_temp.say(n) FROM generate_series(1, 2) n')).toBe('3\n6\n');
      await expect(copied('SELECT pg_temp.say(n) FROM generate_series(1, 3) n')).rejects.toMatchObject({
        code: '22012',
      });
      expect(notices).toEqual(['row 1', 'row 2', 'row 1', 'row 2', 'row 3']);
      await expect(copied('SELECT no_such_column')).rejects.toMatchObject({ code: '42703' });
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    });

    it('uses the same memory again', async () => {
      const memory = new ReusedBytes();
      await copyOut(client, `COPY (SELECT repeat('a', 200000)) TO STDOUT`, memory);
      const first = memory.bytes;
      await copyOut(client, `COPY (SELECT 'b') TO STDOUT`, memory);
      expect(memory.bytes.toString()).toBe('b\n');
      expect(memory.bytes.buffer).toBe(first.buffer);
    });

    it('finds the messages however their bytes come in', () => {
      const message = (kind: string, body: string) => {
        const header = Buffer.alloc(5);
        header.write(kind);
        header.writeInt32BE(4 + Buffer.byteLength(body), 1);
        return Buffer.concat([header, Buffer.from(body)]);
      };
      const piece = fc.record({ kind: fc.constantFrom('d', 'N', 'H'), body: fc.string({ maxLength: 12 }) });
      fc.assert(
        fc.property(fc.array(piece), fc.array(fc.integer({ min: 1, max: 9 })), (pieces, cuts) => {
          const sent = Buffer.concat([
            ...pieces.map(({ kind, body }) => message(kind, body)),
            message('c', ''),
            message('C', 'COPY 1'),
          ]);
          const [data, other]: [Buffer[], Buffer[]] = [[], []];
          const messages = new CopyMessages(
            (bytes) => data.push(bytes),
            (bytes) => other.push(bytes),
          );
          let rest: Buffer | undefined;
          let at = 0;
          for (let nth = 0; at < sent.length && !rest; nth++) {
            const size = cuts[nth % Math.max(1, cuts.length)] ?? 7;
            rest = messages.take(sent.subarray(at, at + size));
            at += size;
          }
          const of = (isData: boolean) => pieces.filter(({ kind }) => (kind === 'd') === isData);
          expect(Buffer.concat(data).toString()).toBe(
            of(true)
              .map(({ body }) => body)
              .join(''),
          );
          const told = Buffer.concat([...other, rest!, sent.subarray(at)]);
          const expected = [
            ...of(false).map(({ kind, body }) => message(kind, body)),
            message('c', ''),
            message('C', 'COPY 1'),
          ];
          expect(told.toString('hex')).toBe(Buffer.concat(expected).toString('hex'));
        }),
      );
    });
  });

  describe('queryWithBytes', () => {
    it.each([0, 1, 16_383, 16_384, 3_000_000])(
      'hands over a parameter of %d bytes as it is',
      async (size) => {
        const bytes = Buffer.alloc(size, 0xfe);
        const { rows } = await queryWithBytes(client, {
          name: 'with-bytes',
          text: `SELECT md5($1::bytea) = md5($4::bytea) AS same, length($1::bytea) AS length, $2::text AS text, $3::text AS none, $5::int AS number`,
          values: [bytes, 'é\'"', null, bytes, 7],
        });
        expect(rows).toEqual([{ same: true, length: size, text: 'é\'"', none: null, number: 7 }]);
      },
    );

    it('fails as any query does, and the session goes on', async () => {
      const failing = { text: 'SELECT 1 / $1::int', values: [0] };
      await expect(queryWithBytes(client, failing)).rejects.toMatchObject({ code: '22012' });
      const circular: Record<string, unknown> = {};
      circular.self = circular;
      await expect(queryWithBytes(client, { text: 'SELECT $1::jsonb', values: [circular] })).rejects.toThrow(
        /circular/i,
      );
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    });
  });

  describe('sendAhead', () => {
    const one = { text: 'SELECT 1 AS one' };

    it('says that a query is on its way when the session does not wait for answers', async () => {
      const before = pipelining.query('SELECT pg_sleep(0.05)');
      const { answer, isSent } = sendAhead<{ one: number }>(pipelining, one);
      expect(isSent).toBe(true);
      expect((await answer).rows).toEqual([{ one: 1 }]);
      await before;
    });

    it('says so not when the driver holds it back, or could not send it', async () => {
      const before = client.query('SELECT pg_sleep(0.05)');
      const heldBack = sendAhead<{ one: number }>(client, one);
      expect(heldBack.isSent).toBe(false);
      expect((await heldBack.answer).rows).toEqual([{ one: 1 }]);
      await before;

      const circular: Record<string, unknown> = {};
      circular.self = circular;
      const unsendable = sendAhead(pipelining, { text: 'SELECT $1::jsonb', values: [circular] });
      expect(unsendable.isSent).toBe(false);
      await expect(unsendable.answer).rejects.toThrow(/circular/i);

      await pipelining.query({ name: 'taken', text: 'SELECT 1' });
      const clashing = sendAhead(pipelining, { name: 'taken', text: 'SELECT 2' });
      expect(clashing.isSent).toBe(false);
      await expect(clashing.answer).rejects.toThrow(/must be unique/);
    });

    it('has a COMMIT that is sent behind a failure roll back', async () => {
      await pipelining.query('CREATE TABLE kept (n int)');
      await pipelining.query('BEGIN');
      await pipelining.query('INSERT INTO kept VALUES (1)');
      const { answer, isSent } = sendAhead(pipelining, { text: 'SELECT 1 / 0' });
      const commit = pipelining.query('COMMIT');
      expect(isSent).toBe(true);
      await expect(answer).rejects.toMatchObject({ code: '22012' });
      expect((await commit).command).toBe('ROLLBACK');
      expect((await pipelining.query('SELECT FROM kept')).rowCount).toBe(0);
    });
  });

  it('sendAll fails as the first that failed, whichever is heard of first', async () => {
    await pipelining.query('BEGIN');
    // The driver takes longer to tell of a failure than `queryWithBytes` does.
    const statements = [{ text: 'SELECT 1 / 0' }, { text: 'SELECT $1::bytea', values: [Buffer.alloc(1)] }];
    await expect(sendAll(pipelining, statements)).rejects.toMatchObject({ code: '22012' });
    await pipelining.query('ROLLBACK');
    expect(await sendAll(pipelining, [{ text: 'SELECT 1 AS one' }])).toMatchObject([{ rows: [{ one: 1 }] }]);
  });
});
