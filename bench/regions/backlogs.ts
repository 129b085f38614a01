import type { ClientBase } from 'pg';
import { patientMaker } from '../backlog.js';
import { withClient } from '../clusters.js';

export interface BenchRegion {
  readonly code: string;
  readonly url: string;
}

/** Registers patients in a region, a hundred in a transaction, as they were before the outage. */
export async function registerPatients({ code, url }: BenchRegion, count: number): Promise<void> {
  await withClient(url, async (client) => {
    await client.query('SET synchronous_commit = off');
    for (const statement of [...patientMaker(code), REGISTER, BACKLOG]) await client.query(statement);
    await client.query(`CALL bench_register(${count})`);
  });
}

/** What a region's people do while central is away: each change in a transaction of its own. */
export async function makeBacklog({ url }: BenchRegion, changes: number): Promise<void> {
  await withClient(url, async (client) => {
    await client.query('SET synchronous_commit = off');
    await client.query(`CALL bench_backlog(${changes})`);
    await client.query('VACUUM (ANALYZE) patients, journal');
  });
}

/** Copies in one transaction: a patient is given to a region by one request. */
const COPIES_AT_ONCE = 20;

/** Gives the first `count` patients of each region to the next one. At central. */
export async function shareAround(
  central: string,
  regions: readonly BenchRegion[],
  count: number,
): Promise<void> {
  await withClient(central, async (client) => {
    for (const [nth, { code }] of regions.entries()) {
      const next = regions[(nth + 1) % regions.length]!.code;
      for (let from = 0; from < count; from += COPIES_AT_ONCE)
        await share(client, { code, next, from, to: Math.min(count, from + COPIES_AT_ONCE) });
    }
  });
}

async function share(
  client: ClientBase,
  { code, next, from, to }: { code: string; next: string; from: number; to: number },
): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    'SELECT id FROM patients WHERE region = $1 ORDER BY id OFFSET $2 LIMIT $3',
    [code, from, to - from],
  );
  const ids = rows.map(({ id }) => id);
  await client.query('BEGIN');
  await client.query('SELECT hosts_open_homes($1)', [ids]);
  await client.query(
    `INSERT INTO hosts (id, patient_id, region, kind, created_at, created_by)
     SELECT gen_random_uuid(), id, $2, 'copy', now(), 'benchmark' FROM unnest($1::uuid[]) id`,
    [ids, next],
  );
  await client.query('COMMIT');
}

const REGISTER = `
  CREATE PROCEDURE bench_register(patients int) LANGUAGE plpgsql AS $$
  BEGIN
    FOR n IN 1..patients LOOP
      PERFORM bench_insert(uuidv7(), n);
      IF n % 100 = 0 THEN COMMIT; END IF;
    END LOOP;
  END $$`;

/**
 * Three in five register a patient, the others change one that was there before: one in four of these a contact field
 * and one in eight a clinical one of somebody whom another region has too, if the region has such.
 */
const BACKLOG = `
  CREATE PROCEDURE bench_backlog(changes int) LANGUAGE plpgsql AS $$
  DECLARE
    own uuid[] := ARRAY(SELECT id FROM patients p WHERE NOT EXISTS (SELECT FROM hosts h WHERE h.patient_id = p.id));
    shared uuid[] := ARRAY(SELECT DISTINCT patient_id FROM hosts);
  BEGIN
    FOR n IN 1..changes LOOP
      IF n % 5 IN (1, 2, 4) THEN
        PERFORM bench_insert(uuidv7(), 1000000 + n);
      ELSIF n % 10 = 3 AND cardinality(shared) > 0 THEN
        UPDATE patients SET phone = '+22178' || lpad(n::text, 7, '0')
        WHERE id = shared[1 + (n * 7919::bigint) % cardinality(shared)];
      ELSIF n % 20 = 5 AND cardinality(shared) > 0 THEN
        UPDATE patients SET notes = 'Vu au passage ' || n
        WHERE id = shared[1 + (n * 7919::bigint) % cardinality(shared)];
      ELSE
        UPDATE patients SET address = address || '{"city": "Thiès"}', notes = 'Vu au passage ' || n
        WHERE id = own[1 + (n * 7919::bigint) % cardinality(own)];
      END IF;
      COMMIT;
    END LOOP;
  END $$`;
