import { ChangeBuffer, type Turn } from '../../src/journal/change-buffer.js';
import type { WriteOp } from '../../src/journal/described-change.js';
import { withoutComments } from '../../src/journal/sql-text.js';
import { UndescribableWriteError } from '../../src/journal/undescribable-write.error.js';
import { WriteGuard } from '../../src/journal/write-guard.js';

const guard = new WriteGuard(['patients', 'visits']);

const announcing = (op: WriteOp, rows = 1) => {
  const buffer = new ChangeBuffer();
  buffer.begin();
  for (let row = 0; row < rows; row++) buffer.announce(op, 'patients');
  return buffer;
};

describe('WriteGuard', () => {
  it.each([
    `UPDATE patients SET notes = ''`,
    `UPDATE/**/patients SET notes = ''`,
    `UPDATE /* /* nested */ still */ patients SET notes = ''`,
    `UPDATE -- why not\n patients SET notes = ''`,
    `UPDATE "patients"SET notes = ''`,
    `UPDATE"patients"SET notes = ''`,
    `UPDATE ONLY (patients) SET notes = ''`,
    `UPDATE ONLY(public.patients) SET notes = ''`,
    `UPDATE regionale.public.patients SET notes = ''`,
    `UPDATE "regionale" . "public" . "patients" SET notes = ''`,
    `UPDATE U&"patients" SET notes = ''`,
    `UPDATE U&"\\0070atients" SET notes = ''`,
    `update\tPATIENTS\nset notes = ''`,
    `UPDATE patients* SET notes = ''`,
    `DELETE FROM/*x*/patients`,
    `DELETE FROM"visits"`,
    `WITH gone AS(DELETE FROM patients RETURNING *)SELECT * FROM gone`,
    `EXPLAIN ANALYZE DELETE FROM patients`,
    `PREPARE later AS DELETE FROM patients`,
    `INSERT INTO/**/patients(id) SELECT gen_random_uuid()`,
    `MERGE INTO ONLY patients USING node ON true WHEN MATCHED THEN DELETE`,
    `COPY patients FROM STDIN`,
    `TRUNCATE users, "patients"`,
    `TRUNCATE TABLE ONLY patients`,
    `DROP TABLE IF EXISTS users, patients`,
    `ALTER TABLE patients ALTER notes TYPE text USING 'x'`,
    `DO $$ BEGIN UPDATE/**/patients SET notes = ''; END $$`,
    `DO $it$ BEGIN EXECUTE 'UPDATE/**/patients SET notes = 1'; END $it$`,
    `SELECT $$it's$$; UPDATE/**/patients SET notes = ''`,
    `SELECT E'it\\'s /*'; UPDATE/**/patients SET notes = '*/'`,
    `SELECT '/*'; UPDATE/**/patients SET notes = '*/'`,
    `SELECT '--'; UPDATE/**/patients SET notes = ''`,
    `SELECT "/*" FROM x; DELETE FROM/**/patients; SELECT "*/" FROM x`,
  ])('refuses %s', (sql) => {
    expect(() => guard.check(sql, 0, undefined)).toThrow(UndescribableWriteError);
    expect(() => guard.check(sql, 0, announcing('insert'))).toThrow(/round the entity subscriber/);
  });

  it.each([
    `SELECT * FROM patients WHERE id = $1 FOR UPDATE`,
    `SELECT * FROM patients p FOR UPDATE OF p`,
    `SELECT * FROM "patients" "Patient" WHERE "Patient"."updated_at" > $1`,
    `SELECT count(*) /* update patients */ FROM patients`,
    `INSERT INTO imports SELECT id FROM patients`,
    `UPDATE users SET name = $1 FROM patients`,
    `UPDATE patients_archive SET notes = ''`,
    `UPDATE old_patients SET notes = ''`,
    `DELETE FROM sessions WHERE user_id = $1`,
    `SELECT CASE WHEN deceased_at IS NULL THEN 1 END FROM patients`,
    `SELECT current_setting('medlink.capture', true)`,
    `SET LOCAL statement_timeout = 5000`,
  ])('lets %s through', (sql) => {
    expect(() => guard.check(sql, 0, undefined)).not.toThrow();
  });

  it('lets the announced rows through in the form that TypeORM gives them, and no others', () => {
    const insert = `INSERT INTO "patients"("id", "notes") VALUES ($1, DEFAULT), ($2, $3)`;
    const buffer = announcing('insert', 2);
    expect(() => guard.check(insert, 3, buffer)).not.toThrow();
    expect(() => guard.check(insert, 3, buffer)).toThrow(UndescribableWriteError);
    expect(() => guard.check(insert, 3, announcing('insert', 1))).toThrow(UndescribableWriteError);
    expect(() => guard.check(insert, 3, announcing('update', 2))).toThrow(UndescribableWriteError);
    expect(() => guard.check(`${insert} ON CONFLICT DO NOTHING`, 3, announcing('insert', 2))).toThrow(
      /upsert/,
    );
  });

  it('counts the rows that a delete names, and one for each update', () => {
    const remove = `DELETE FROM "patients" WHERE ("id" = $1 OR "id" = $2)`;
    expect(() => guard.check(remove, 2, announcing('remove', 2))).not.toThrow();
    expect(() => guard.check(remove, 2, announcing('remove', 1))).toThrow(UndescribableWriteError);
    const update = `UPDATE "patients" SET "notes" = $1 WHERE "id" = $2`;
    const buffer = announcing('update', 2);
    guard.check(update, 2, buffer);
    guard.check(update, 2, buffer);
    expect(() => guard.check(update, 2, buffer)).toThrow(UndescribableWriteError);
  });

  it.each([
    'BEGIN',
    'START TRANSACTION',
    'COMMIT',
    'COMMIT AND CHAIN',
    'end',
    'ROLLBACK',
    'ABORT',
    'SAVEPOINT mine',
    'SAVEPOINT typeorm_1',
    'RELEASE mine',
    'ROLLBACK TO SAVEPOINT typeorm_1',
    `PREPARE TRANSACTION 'later'`,
    '  commit;',
    '/* now */ COMMIT',
    '-- now\nCOMMIT',
    'SELECT 1; COMMIT',
  ])('refuses %s of anybody but TypeORM', (sql) => {
    expect(() => guard.check(sql, 0, announcing('insert'))).toThrow(/begins or ends a transaction/);
  });

  it.each<[Turn, string[]]>([
    ['start', ['START TRANSACTION', 'SAVEPOINT typeorm_1']],
    ['commit', ['COMMIT', 'RELEASE SAVEPOINT typeorm_1']],
    ['rollback', ['ROLLBACK', 'ROLLBACK TO SAVEPOINT typeorm_1']],
  ])('lets TypeORM %s a transaction, and nobody write meanwhile', (turn, statements) => {
    const buffer = announcing('update');
    buffer.turn = turn;
    for (const sql of statements) expect(() => guard.check(sql, 0, buffer)).not.toThrow();
    expect(() => guard.check('SAVEPOINT mine', 0, buffer)).toThrow(UndescribableWriteError);
    expect(() => guard.check('UPDATE "patients" SET "notes" = $1 WHERE "id" = $2', 2, buffer)).toThrow(
      UndescribableWriteError,
    );
  });

  it.each([
    `SET medlink.capture = ''`,
    `SET LOCAL "medlink"."capture" TO off`,
    `RESET medlink.capture`,
    `SELECT set_config('medlink.capture', '', false)`,
    `SET/**/medlink.capture TO off`,
    `SET session_replication_role = replica`,
    `SELECT set_config('session_replication_role', 'replica', true)`,
    `UPDATE pg_settings SET setting = 'off' WHERE name = 'medlink.capture'`,
  ])('refuses %s', (sql) => {
    expect(() => guard.check(sql, 0, undefined)).toThrow(/how this session is captured/);
  });
});

describe('withoutComments', () => {
  it.each([
    ['SELECT 1', 'SELECT 1'],
    ['SELECT/* a /* b */ c */1 -- d\n', 'SELECT 1  \n'],
    [`SELECT '/*', "--", 1 /* x */`, `SELECT ' ', "--", 1  `],
    [`SELECT $a$ -- not $b$ $a$, 1`, `SELECT $a$  $a$, 1`],
    ['SELECT $1::int - $2 -- $$', 'SELECT $1::int - $2  '],
    ['SELECT 1 /* never closed', 'SELECT 1  '],
  ])('%s', (sql, text) => {
    expect(withoutComments(sql)).toBe(text);
  });
});
