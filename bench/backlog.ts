import { withClient } from './clusters.js';
import { REGION_CODE } from './databases.js';

/** Writers at once, so that the journal's positions and its commits are not in one order. */
const LANES = 2;

/**
 * Makes a backlog of `entries` changes, three inserts to two updates, each in a transaction of its own as
 * clinicians make them; half of the updates change an indexed column. The database's own capture journals them. Commits do not wait for the disk here:
 * this is not what is measured.
 */
export async function makeBacklog(region: string, entries: number): Promise<void> {
  await withClient(region, async (client) => {
    for (const statement of [...patientMaker(REGION_CODE), LANE]) await client.query(statement);
  });
  const lanes = Array.from({ length: LANES }, (_, lane) =>
    withClient(region, async (client) => {
      await client.query('SET synchronous_commit = off');
      await client.query(`CALL bench_lane(${lane}, ${entries / LANES})`);
    }),
  );
  await Promise.all(lanes);
  // What a region would have done in the hours that such a backlog takes.
  await withClient(region, (client) => client.query('VACUUM (ANALYZE) patients, journal'));
}

/** Functions that make patients of a region. */
export const patientMaker = (region: string): string[] => [
  // As the application would have journaled it: what the database captures itself is indexed once more.
  `CREATE FUNCTION bench_as_application() RETURNS trigger LANGUAGE plpgsql AS
   $$ BEGIN NEW.captured_by := 'application'; RETURN NEW; END $$`,
  `CREATE TRIGGER bench_as_application BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION bench_as_application()`,

  `CREATE FUNCTION bench_pick(choices text[], n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
   $$ SELECT choices[1 + n % cardinality(choices)] $$`,

  // Rows of the size and variety of the API's example patient.
  `CREATE FUNCTION bench_insert(patient uuid, n bigint) RETURNS void LANGUAGE sql AS $$
     INSERT INTO patients (id, medical_id, region, family_name, used_name, given_names, birth_date,
       birth_date_precision, sex, birth_place, national_id, phone, email, address, location, blood_group, allergies,
       chronic_conditions, emergency_contact, notes, version, created_at, updated_at, created_by, updated_by)
     SELECT patient,
       '${region}-' || upper(lpad(to_hex((n * 2654435761) % 4294967296), 8, '0')), '${region}',
       bench_pick('{NDiaye,Diop,Fall,Sow,Ba,Sy,Gueye,Faye,Sarr,Cissé,Diallo,Kane,Mbaye,Seck,Thiam,Touré}', n * 7),
       CASE WHEN n % 3 = 0 THEN bench_pick('{Sow,Ba,Dieng,Niang,Wade,Samb,Lo}', n) END,
       bench_pick('{Aïssatou,Fatou,Mamadou,Ousmane,Awa,Ibrahima,Khady,Moussa,Mariama,Cheikh,Ndeye,Bineta}', n * 11)
         || ' ' || bench_pick('{Marième,Modou,Astou,Lamine,Coumba,Babacar,Sokhna,Assane,Rokhaya,Pape}', n * 13),
       date '1930-01-01' + ((n * 7919) % 34000)::int, 'day', bench_pick('{female,male}', n),
       bench_pick('{Saint-Louis,Dakar,Thiès,Kaolack,Ziguinchor,Touba,Rufisque}', n * 3),
       (1000000000000 + (n * 2654435761) % 899999999999)::text,
       '+22177' || lpad(((n * 48271) % 10000000)::text, 7, '0'), 'patient.' || n || '@example.org',
       jsonb_build_object('line', n % 200 || ' rue Félix Faure', 'city', 'Dakar', 'district', 'Plateau',
                          'postalCode', '11500', 'country', 'SN'),
       jsonb_build_object('latitude', round(14.6 + (n % 1000) / 5000.0, 4),
                          'longitude', round(-17.4 - (n % 777) / 5000.0, 4)),
       bench_pick('{A+,A-,B+,B-,AB+,AB-,O+,O-}', n), '{Pénicilline}', '{Asthme}',
       '{"name": "Moussa Sow", "phone": "+221776543210", "relationship": "époux"}',
       'Préfère être appelée le matin.', 1, clock_timestamp(), clock_timestamp(),
       '01936b5e-0000-7c3e-8f21-000000000001', '01936b5e-0000-7c3e-8f21-000000000001' $$`,
];

const LANE = `
  CREATE PROCEDURE bench_lane(lane int, entries int) LANGUAGE plpgsql AS $$
   DECLARE
     patients_made uuid[] := '{}';
     patient uuid;
   BEGIN
     FOR n IN 1..entries LOOP
       IF n % 5 IN (1, 2, 4) THEN
         patient := uuidv7();
         patients_made := patients_made || patient;
         PERFORM bench_insert(patient, n::bigint * ${LANES} + lane);
       ELSE
         UPDATE patients SET phone = CASE WHEN n % 2 = 0 THEN '+22178' || lpad(n::text, 7, '0') ELSE phone END,
                address = address || '{"city": "Thiès"}', notes = 'Vu au passage ' || n,
                updated_by = '01936b5e-0000-7c3e-8f21-000000000002'
         WHERE id = patients_made[1 + (n * 7919::bigint) % cardinality(patients_made)];
       END IF;
       COMMIT;
     END LOOP;
   END $$`;
