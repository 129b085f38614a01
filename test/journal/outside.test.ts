import pg from 'pg';
import { Patient } from '../../src/patients/patient.entity.js';
import { aPatient, openCapturedDatabase, type CapturedDatabase } from './captured-database.js';

/** What goes round the application is journaled by the database itself. */
describe('capture of what psql, scripts and migrations change', () => {
  let db: CapturedDatabase;
  let psql: pg.Client;
  beforeAll(async () => {
    db = await openCapturedDatabase();
    psql = new pg.Client({ connectionString: db.databases.regionaleUrl });
    await psql.connect();
  });
  afterAll(async () => {
    await psql.end();
    await db.close();
  });
  beforeEach(() => db.clear());

  const store = async (count: number) => {
    const patients = await db.source
      .getRepository(Patient)
      .save(Array.from({ length: count }, () => aPatient()));
    await db.outside.query('SET session_replication_role = replica');
    await db.outside.query('DELETE FROM journal');
    await db.outside.query('SET session_replication_role = origin');
    return patients;
  };

  it('an update: only what changed, with the database user as actor, and a new version', async () => {
    const [patient] = await store(1);
    await psql.query(`UPDATE patients SET notes = 'x' WHERE id = $1`, [patient!.id]);
    const [entry, ...others] = await db.journal();
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      op: 'update',
      patient_id: patient!.id,
      captured_by: 'database',
      actor: 'medlink',
    });
    expect(entry).toMatchObject({ before: { notes: null, version: 1 }, after: { notes: 'x', version: 2 } });
    expect(Object.keys(entry!.after!).sort()).toEqual(['notes', 'updated_at', 'version']);
  });

  it('one statement over many rows, a delete, and an insert of copies', async () => {
    await store(3);
    await psql.query(`UPDATE patients SET notes = 'all'`);
    await psql.query('DELETE FROM patients WHERE id = (SELECT min(id::text)::uuid FROM patients)');
    await psql.query(
      `INSERT INTO patients SELECT (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(), 'medical_id', 'copy'))).*
       FROM patients p LIMIT 1`,
    );
    const entries = await db.journal();
    expect(entries.map(({ op, change_set_size }) => [op, change_set_size])).toEqual([
      ['update', 3],
      ['update', 3],
      ['update', 3],
      ['remove', 1],
      ['insert', 1],
    ]);
    expect(entries[3]!.before).toMatchObject({ notes: 'all' });
  });

  it('several statements in one transaction are one change set, numbered at commit', async () => {
    const [a, b] = await store(2);
    await psql.query('BEGIN');
    await psql.query(`UPDATE patients SET notes = 'a' WHERE id = $1`, [a!.id]);
    await psql.query('SAVEPOINT s');
    await psql.query('DELETE FROM patients');
    await psql.query('ROLLBACK TO s');
    await psql.query(`UPDATE patients SET notes = 'b' WHERE id = $1`, [b!.id]);
    // Another writer commits while psql is open: it must not have to wait for a seq that psql holds.
    const other = await db.source.getRepository(Patient).save(aPatient());
    await psql.query('COMMIT');
    const entries = await db.journal();
    expect(entries.map(({ entity_id }) => entity_id)).toEqual([other.id, a!.id, b!.id]);
    expect(entries.slice(1).map(({ change_set_size }) => change_set_size)).toEqual([2, 2]);
    expect(entries[1]!.change_set).toBe(entries[2]!.change_set);
    expect(Number(entries[1]!.seq)).toBe(Number(entries[0]!.seq) + 1);
  });

  it('an update that changes nothing, and a rolled-back transaction: no entry', async () => {
    await store(1);
    await psql.query('BEGIN');
    await psql.query(`UPDATE patients SET notes = 'gone'`);
    await psql.query('ROLLBACK');
    expect(await db.journal()).toEqual([]);
    const staged = await psql.query('SELECT FROM journal_staged');
    expect(staged.rowCount).toBe(0);
  });

  it('TRUNCATE is refused, and so is a change to the journal itself', async () => {
    await store(1);
    await expect(psql.query('TRUNCATE patients')).rejects.toThrow(/cannot be journaled/);
    await psql.query(`UPDATE patients SET notes = 'x'`);
    await expect(psql.query(`UPDATE journal SET actor = 'someone else'`)).rejects.toThrow(/append-only/);
    await expect(psql.query('DELETE FROM journal')).rejects.toThrow(/append-only/);
    await expect(psql.query('TRUNCATE journal')).rejects.toThrow(/append-only/);
    expect(await db.journal()).toHaveLength(1);
  });

  it('temporary tables with the names of the journal: they are not looked at', async () => {
    const [patient] = await store(1);
    const database = new URL(db.databases.regionaleUrl).pathname.slice(1);
    const clerk = `clerk_${database}`;
    await db.outside.query(`CREATE ROLE ${clerk};
      GRANT SELECT, UPDATE ON patients TO ${clerk}; GRANT TEMPORARY ON DATABASE ${database} TO ${clerk}`);
    const session = new pg.Client({ connectionString: db.databases.regionaleUrl });
    await session.connect();
    await session.query(`SET ROLE ${clerk}`);
    for (const table of ['journal_staged_transactions', 'journal_staged', 'journal', 'node']) {
      await session.query(
        `CREATE TEMPORARY TABLE ${table} AS SELECT 1 AS id; GRANT ALL ON pg_temp.${table} TO public`,
      );
    }
    const update = session.query(`UPDATE patients SET notes = 'by the clerk' WHERE id = $1`, [patient!.id]);
    await Promise.allSettled([update]);
    await session.end();
    await db.outside.query(`DROP OWNED BY ${clerk}; DROP ROLE ${clerk}`);
    await update;
    expect(await db.journal()).toMatchObject([{ op: 'update', after: { notes: 'by the clerk' } }]);
  });

  it('constraints made immediate: a transaction is still one change set, or refused', async () => {
    await store(2);
    await psql.query(`BEGIN; UPDATE patients SET notes = 'x'; SET CONSTRAINTS ALL IMMEDIATE; COMMIT`);
    expect((await db.journal()).map(({ change_set_size }) => change_set_size)).toEqual([2, 2]);
    const second = psql.query(`BEGIN; SET CONSTRAINTS ALL IMMEDIATE;
      UPDATE patients SET notes = 'y'; UPDATE patients SET notes = 'z'; COMMIT`);
    await expect(second).rejects.toMatchObject({
      code: 'ML004',
      message: expect.stringMatching(/IMMEDIATE/),
    });
    await psql.query('ROLLBACK');
    expect(await db.journal()).toHaveLength(2);
    expect((await db.rows()).map(({ notes }) => notes)).toEqual(['x', 'x']);
  });

  it('the next transaction of a session, and what follows a savepoint, are not taken for a second flush', async () => {
    await store(1);
    await psql.query(`BEGIN; SAVEPOINT s; UPDATE patients SET notes = 'gone'; SET CONSTRAINTS ALL IMMEDIATE;
      ROLLBACK TO s; UPDATE patients SET notes = 'kept'; COMMIT`);
    await psql.query(`UPDATE patients SET notes = 'later'`);
    expect((await db.journal()).map(({ after }) => after!.notes)).toEqual(['kept', 'later']);
  });

  it.each(['address', 'location', 'emergency_contact'])(
    'a JSON null, which a journal entry could not tell from none, is refused in %s',
    async (column) => {
      await store(1);
      for (const value of ['null', '"text"', '[]']) {
        await expect(psql.query(`UPDATE patients SET ${column} = $1::jsonb`, [value])).rejects.toMatchObject({
          code: '23514',
        });
      }
      await psql.query(`UPDATE patients SET ${column} = NULL`);
      await psql.query(`UPDATE patients SET ${column} = '{}'`);
      expect((await db.journal()).at(-1)!.after).toMatchObject({ [column]: {} });
    },
  );

  it('the application is captured once: its own sessions leave the triggers silent', async () => {
    await db.source.getRepository(Patient).save(aPatient());
    expect(await db.journal()).toMatchObject([{ captured_by: 'application' }]);
  });
});
