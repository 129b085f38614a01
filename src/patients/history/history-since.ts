import type { DataSource } from 'typeorm';

/** Of what is older than the months that are kept, some may be gone; not when the patient was registered since. */
const SINCE = `
  SELECT coalesce(r.since, first.at) AS since
  FROM journal_retention r
  LEFT JOIN LATERAL (SELECT j.op, j.at FROM journal j WHERE j.patient_id = $1 AND j.entity_id = $1
                     ORDER BY j.seq LIMIT 1) first ON true
  WHERE first.op IS DISTINCT FROM 'insert' OR first.at < r.since`;

/** From when on a patient's history is complete; `null` when it is from the beginning. */
export async function historySince(home: DataSource, patientId: string): Promise<Date | null> {
  const rows = await home.query<{ since: Date | null }[]>(SINCE, [patientId]);
  return rows[0]?.since ?? null;
}
