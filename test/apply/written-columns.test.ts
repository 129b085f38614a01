import fc from 'fast-check';
import pg from 'pg';
import { type ReceivingTable, receivingTables } from '../../src/apply/receiving-tables.js';
import { updatedColumns } from '../../src/apply/written-columns.js';
import { cloneDatabase, type TestDatabase } from '../harness/databases.js';

/** By SQL type: values as a journal has them, some of them the end of what the type takes. */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  text: ['', 'NULL', 'N\'Diaye "\\" é', '{"a": 1}', 'a\nb'],
  uuid: ['01936b5e-0000-7c3e-8f21-000000000001'],
  boolean: [true, false],
  date: ['1987-03-14', 'infinity', '0044-03-15 BC'],
  integer: [0, -2147483648],
  bigint: ['9223372036854775807', 12],
  'timestamp(3) with time zone': ['2026-11-29T10:00:00.123+00:00', '-infinity'],
  jsonb: [{}, { a: null }, [], [null], 'text', 0, false],
  'text[]': [
    [],
    [''],
    ['NULL', null],
    ['a,b', '{c}', '\\"'],
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  'integer[]': [[], [1, null]],
  'numeric(6,2)': [1.25, 9999.99],
  'character varying(5)': ['', 'abcde'],
  'double precision': [1e300, -0.1],
  interval: ['1 day 02:00:00'],
  pair: [{ a: 'x' }, { b: 2 }, { a: null, b: 3 }],
};
const COLUMNS = Object.keys(VALUES).map((type, nth) => ({ name: `c${nth}`, type }));

describe('the columns of an update, read from JSON', () => {
  let database: TestDatabase;
  let client: pg.Client;
  let table: ReceivingTable;

  beforeAll(async () => {
    database = await cloneDatabase('default');
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const columns = COLUMNS.map(({ name, type }) => `${name} ${type}`).join(', ');
    await client.query('CREATE TYPE pair AS (a text, b integer)');
    await client.query(`CREATE TABLE kinds (${columns})`);
    await client.query(`INSERT INTO replicated_tables (name, schema) VALUES ('kinds', 1)`);
    const known = {
      name: 'kinds',
      columns: COLUMNS.map(({ name }) => name),
      compartment: null,
      schema: 1,
      rules: new Map(),
    };
    table = (await receivingTables(client, [known])).get('kinds')!;
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  const one = async (sql: string, values: unknown[]) => {
    const { rows } = await client.query<{ row: string | null }>(sql, values);
    return rows.map(({ row }) => row);
  };
  /** Some of the columns, each with one of its values or null. */
  const someColumns = fc.record(
    Object.fromEntries(
      COLUMNS.map(({ name, type }) => [name, fc.constantFrom(null, ...VALUES[type]!)] as const),
    ),
    { requiredKeys: [] },
  );

  it('knows the types of the receiving table', () => {
    expect([...table.types.values()].toSorted()).toEqual(Object.keys(VALUES).toSorted());
  });

  it('a changed row is what populating it from the JSON makes of it', async () => {
    await fc.assert(
      fc.asyncProperty(someColumns, someColumns, async (before, after) => {
        const json = JSON.stringify(after);
        await client.query('TRUNCATE kinds');
        await client.query('INSERT INTO kinds SELECT (jsonb_populate_record(NULL::kinds, $1::jsonb)).*', [
          JSON.stringify(before),
        ]);
        const expected = await one('SELECT jsonb_populate_record(t, $1::jsonb)::text AS row FROM kinds t', [
          json,
        ]);
        const written = await one(
          `UPDATE kinds t SET ${updatedColumns(table, 'given.after')}
           FROM (SELECT $1::jsonb AS after) given RETURNING t::text AS row`,
          [json],
        );
        expect(written).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['integer', '12 kg'],
    ['date', '2023-02-30'],
    ['text[]', 'no list'],
    ['character varying(5)', 'longer'],
  ])('refuses for %s what populating refuses: %s', async (type, value) => {
    const column = COLUMNS.find((each) => each.type === type)!.name;
    const json = [JSON.stringify({ [column]: value })];
    const failure = (sql: string) =>
      one(sql, json).then(undefined, (error: unknown) => (error as pg.DatabaseError).code);
    const populated = await failure('SELECT jsonb_populate_record(NULL::kinds, $1::jsonb)::text AS row');
    expect(populated).toMatch(/^22/);
    await client.query('TRUNCATE kinds');
    await client.query('INSERT INTO kinds DEFAULT VALUES');
    const written = `UPDATE kinds t SET ${updatedColumns({ ...table, columns: [column] }, 'given.after')}
      FROM (SELECT $1::jsonb AS after) given`;
    expect(await failure(written)).toBe(populated);
  });
});
