import type { QueryRunner } from 'typeorm';

/** One statement that is about to be sent: all rows of one table that TypeORM announced in the same tick. */
interface Reading {
  readonly ids: Set<string>;
  readonly rows: Promise<Map<string, string>>;
}

const readings = new WeakMap<QueryRunner, Map<string, Reading>>();

/**
 * The row as it is now, as JSON text, locked until the transaction ends; `undefined` when it is gone.
 * What TypeORM loaded before cannot stand in for it: another transaction may have committed since.
 * `save([…])` announces its rows in one tick; they are read in one statement, in the order of their ids,
 * so that two transactions cannot lock the same rows crosswise.
 */
export async function beforeImage(
  queryRunner: QueryRunner,
  table: string,
  id: string,
): Promise<string | undefined> {
  const ofRunner = readings.get(queryRunner) ?? new Map<string, Reading>();
  readings.set(queryRunner, ofRunner);
  let reading = ofRunner.get(table);
  if (!reading) {
    const ids = new Set<string>();
    const rows = Promise.resolve().then(() => {
      ofRunner.delete(table);
      return readAndLock(queryRunner, table, [...ids]);
    });
    reading = { ids, rows };
    ofRunner.set(table, reading);
  }
  reading.ids.add(id);
  return (await reading.rows).get(id);
}

async function readAndLock(
  queryRunner: QueryRunner,
  table: string,
  ids: string[],
): Promise<Map<string, string>> {
  const rows = (await queryRunner.query(
    `SELECT t.id, to_jsonb(t)::text AS row FROM "${table}" t WHERE t.id = ANY($1) ORDER BY t.id FOR UPDATE`,
    [ids],
  )) as { id: string; row: string }[];
  return new Map(rows.map(({ id, row }) => [id, row]));
}
