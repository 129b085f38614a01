import type pg from 'pg';
import { seen, type Seen } from './ledger.js';
import type { Row } from './values.js';

/** A change that goes round the application: `SET` clauses for one patient. Gives what it changed. */
export async function changeByPsql(psql: pg.Client, patientId: string, set: string): Promise<Seen[]> {
  await psql.query('BEGIN');
  try {
    const changes = await updateSeen(psql, patientId, set);
    await psql.query('COMMIT');
    return changes;
  } catch (error) {
    await psql.query('ROLLBACK');
    throw error;
  }
}

/**
 * The same, left open after its journal entries have their positions: whoever reads the journal meets a gap there
 * until it has ended.
 */
export async function beginSlowChange(slow: pg.Client, patientId: string, set: string): Promise<Seen[]> {
  await slow.query('BEGIN');
  try {
    const changes = await updateSeen(slow, patientId, set);
    await slow.query('SET CONSTRAINTS ALL IMMEDIATE');
    return changes;
  } catch (error) {
    await slow.query('ROLLBACK');
    throw error;
  }
}

async function updateSeen(client: pg.Client, patientId: string, set: string): Promise<Seen[]> {
  const before = await client.query<{ row: Row }>(
    'SELECT to_jsonb(p) AS row FROM patients p WHERE id = $1 FOR UPDATE',
    [patientId],
  );
  if (!before.rows[0]) return [];
  const after = await client.query<{ row: Row }>(
    `UPDATE patients p SET ${set} WHERE id = $1 RETURNING to_jsonb(p) AS row`,
    [patientId],
  );
  return [seen(patientId, before.rows[0].row, after.rows[0]!.row)];
}
