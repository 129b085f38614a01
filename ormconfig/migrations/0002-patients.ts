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
      address jsonb,
      location jsonb,
      blood_group text,
      allergies text[] NOT NULL,
      chronic_conditions text[] NOT NULL,
      emergency_contact jsonb,
      deceased_at timestamptz(3),
      notes text,
      version integer NOT NULL,
      created_at timestamptz(3) NOT NULL,
      updated_at timestamptz(3) NOT NULL,
      created_by text NOT NULL,
      updated_by text NOT NULL
    )`);
  await queryRunner.query(`CREATE ${unique ? 'UNIQUE' : ''} INDEX patients_medical_id ON patients (medical_id)`);
  // unaccent() is only STABLE because its dictionary may be replaced; named outright, it is not.
  await queryRunner.query(`
    CREATE FUNCTION search_form(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT lower(public.unaccent('public.unaccent'::regdictionary, value)) $$`);
  await queryRunner.query(`SELECT journal_capture('patients', 'id', 1)`);
}

const forwardOnly = (): Promise<void> => {
  throw new Error('Migrations only go forward: restore a backup to go back.');
};

export class RegionalePatients0002 implements MigrationInterface {
  readonly name = 'Patients0000000000002';
  readonly down = forwardOnly;

  async up(queryRunner: QueryRunner): Promise<void> {
    await createPatients(queryRunner, { unique: true });
    await queryRunner.query(`CREATE SEQUENCE medical_id_seq AS bigint MINVALUE 0`);
  }
}

/** Two regions may give the same medical id while apart; central keeps both, so its index is not unique. */
export class CentralPatients0002 implements MigrationInterface {
  readonly name = 'Patients0000000000002';
  readonly down = forwardOnly;

  async up(queryRunner: QueryRunner): Promise<void> {
    await createPatients(queryRunner, { unique: false });
    await queryRunner.query(`CREATE SEQUENCE medical_id_seq AS bigint MINVALUE 0`);
  }
}
