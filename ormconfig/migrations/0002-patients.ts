import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The patients table. `unique`: whether the database itself refuses a medical id given twice. */
async function createPatients(queryRunner: QueryRunner, { unique }: { unique: boolean }): Promise<void> {
  await queryRunner.query(`CREATE EXTENSION IF NOT EXISTS pg_trgm`);
  await queryRunner.query(`CREATE EXTENSION IF NOT EXISTS unaccent`);
  await queryRunner.query(`
    CREATE TABLE patients (
      id uuid PRIMARY KEY,
      medical_id text NOT NULL,
      region text NOT NULL,
      family_name text NOT NULL,
      used_name text,
      given_names text NOT NULL,
      birth_date date NOT NULL,
      birth_date_precision text NOT NULL,
      sex text NOT NULL,
      birth_place text,
      national_id text,
      phone text,
      email text,
      address jsonb CHECK (jsonb_typeof(address) = 'object'),
      location jsonb CHECK (jsonb_typeof(location) = 'object'),
      blood_group text,
      allergies text[] NOT NULL,
      chronic_conditions text[] NOT NULL,
      emergency_contact jsonb CHECK (jsonb_typeof(emergency_contact) = 'object'),
      deceased_at timestamptz(3),
      notes text,
      version integer NOT NULL,
      created_at timestamptz(3) NOT NULL,
      updated_at timestamptz(3) NOT NULL,
      created_by text NOT NULL,
      updated_by text NOT NULL
    ) WITH (fillfactor = 90)`);
  for (const statement of [...SEARCH_FORMS, ...indexes(unique)]) await queryRunner.query(statement);
  await queryRunner.query(`SELECT journal_capture('patients', 'id', 1)`);
}

/**
 * Names as they are searched: without accents, capitals, apostrophes and hyphens, so that `N'Diaye`,
 * `NDIAYE` and `Ndiaye` are one. unaccent() is only STABLE because its dictionary may be replaced; named
 * outright, it is not. A space before and after every word lets a pattern say where a word begins.
 */
const SEARCH_FORMS = [
  `CREATE FUNCTION name_form(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
   $$ SELECT translate(lower(public.unaccent('public.unaccent'::regdictionary, value)), $t$-.,/()'’‘ʼ\`$t$, '      ') $$`,
  `CREATE FUNCTION patient_names(family text, used text, given text) RETURNS text
   LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
   $$ SELECT ' ' || public.name_form(family || ' ' || coalesce(used || ' ', '') || given) || ' ' $$`,
];

/**
 * Few, because central applies backlogs through them: 300,000 rows in batches of 10,000 went in at
 * 130,000 rows/s with the two unique ones, at 50,000 with the trigrams of the names too, at 31,000 with
 * all of these. The medical id is kept out of the trigrams: with it, they alone allowed 18,000.
 */
function indexes(unique: boolean): string[] {
  return [
    // For equality and for beginnings, whatever the database's collation.
    // A region may hold a copy of another region's patient with the same medical id: the two are in conflict, and kept.
    unique
      ? `CREATE UNIQUE INDEX patients_medical_id ON patients (medical_id text_pattern_ops, region)`
      : `CREATE INDEX patients_medical_id ON patients (medical_id text_pattern_ops)`,
    // New names gather in a list that searches also read, and that vacuum sorts in: with the default of 4 MB a
    // backlog sorts in the foreground, which cost a fifth of applying it.
    `CREATE INDEX patients_names ON patients
     USING gin (patient_names(family_name, used_name, given_names) gin_trgm_ops)
     WITH (gin_pending_list_limit = 16384)`,
    `CREATE INDEX patients_family_name ON patients
       (name_form(family_name) COLLATE "C", name_form(given_names) COLLATE "C", id)`,
    `CREATE INDEX patients_birth_date ON patients (birth_date)`,
    `CREATE INDEX patients_national_id ON patients (national_id) WHERE national_id IS NOT NULL`,
    `CREATE INDEX patients_phone ON patients (phone) WHERE phone IS NOT NULL`,
    `CREATE INDEX patients_location ON patients
       (((location -> 'latitude')::float8), ((location -> 'longitude')::float8)) WHERE location IS NOT NULL`,
    // Block ranges do not stand in the way of updates in place, as a B-tree on this column would.
    `CREATE INDEX patients_updated_at ON patients USING brin (updated_at) WITH (autosummarize)`,
  ];
}

/** Counts blocks of 32 medical ids: half of the 2^40 that a region has, see src/patients/medical-id. */
const MEDICAL_ID_SEQUENCE = `CREATE SEQUENCE medical_id_seq AS bigint MINVALUE 0 MAXVALUE 17179869183`;

const forwardOnly = (): Promise<void> => {
  throw new Error('Migrations only go forward: restore a backup to go back.');
};

export class RegionalePatients0002 implements MigrationInterface {
  readonly name = 'Patients0000000000002';
  readonly down = forwardOnly;

  async up(queryRunner: QueryRunner): Promise<void> {
    await createPatients(queryRunner, { unique: true });
    await queryRunner.query(MEDICAL_ID_SEQUENCE);
  }
}

/** Two regions may give the same medical id while apart; central keeps both, so its index is not unique. */
export class CentralPatients0002 implements MigrationInterface {
  readonly name = 'Patients0000000000002';
  readonly down = forwardOnly;

  async up(queryRunner: QueryRunner): Promise<void> {
    await createPatients(queryRunner, { unique: false });
    await queryRunner.query(MEDICAL_ID_SEQUENCE);
  }
}
