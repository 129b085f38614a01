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
  for (const statement of [...SEARCH_FORMS, ...NAME_WORDS, ...indexes(unique)])
    await queryRunner.query(statement);
  await queryRunner.query(
    `SELECT journal_capture('patients', 'id', 1, '[["birth_date", "birth_date_precision"]]')`,
  );
}

/**
 * Names as they are searched: without accents, capitals, apostrophes and hyphens, so that `N'Diaye`,
 * `NDIAYE` and `Ndiaye` are one. unaccent() makes the typographic signs plain ones; it is only STABLE because its
 * dictionary may be replaced: named outright, it is not. Every row that is written calls this twice. In SQL it took
 * 1.8 µs, since PostgreSQL cannot inline what calls a STABLE function; with translate() 1.0, which looks at each letter.
 */
const SEARCH_FORMS = [
  `CREATE FUNCTION name_form(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
   BEGIN
     RETURN replace(replace(replace(replace(replace(replace(replace(replace(
       lower(public.unaccent('public.unaccent'::regdictionary, value)),
       '-', ' '), '.', ' '), ',', ' '), '/', ' '), '(', ' '), ')', ' '), '''', ''), '\`', '');
   END $$`,
  // A space before and after every word lets a pattern say where a word begins.
  `CREATE FUNCTION patient_names(family text, used text, given text) RETURNS text
   LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
   $$ SELECT ' ' || public.name_form(family || ' ' || coalesce(used || ' ', '') || given) || ' ' $$`,
  `CREATE FUNCTION patient_words(family text, used text, given text) RETURNS text[]
   LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
   $$ SELECT string_to_array(public.name_form(family || ' ' || coalesce(used || ' ', '') || given), ' ') $$`,
  // Two spaces sort before all that a longer family name can go on with.
  `CREATE FUNCTION patient_name_order(family text, given text) RETURNS text
   LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT public.name_form(family || '  ' || given) $$`,
];

/**
 * Every word that a name has or had. Beginnings and slips are looked up among these few, and the patients by whole
 * words: the trigrams of their names were 25 to 40 index entries for each row that was written, the words are four.
 *
 * There is no unique index: a new word would wait for every open transaction that has brought the same. A word that
 * two bring at once is there twice, which changes nothing. Words are never taken away.
 */
const NAME_WORDS = [
  `CREATE TABLE name_words (word text COLLATE "C" NOT NULL)`,
  `CREATE INDEX name_words_word ON name_words (word)`,
  `CREATE INDEX name_words_trigrams ON name_words USING gin (word gin_trgm_ops)`,
  `CREATE FUNCTION name_words_learn(words text[]) RETURNS void LANGUAGE sql SECURITY DEFINER
   SET search_path = pg_catalog, public, pg_temp AS $$
     INSERT INTO name_words
     SELECT word FROM (SELECT DISTINCT unnest(words) COLLATE "C" AS word) heard
     WHERE word <> '' AND NOT EXISTS (SELECT FROM name_words known WHERE known.word = heard.word) $$`,
  // The triggers keep the session's search_path and its rights: under another path PostgreSQL would plan name_form()
  // anew, and again for the next row's indexes, which took longer than the whole insert. Each name once: many people
  // have the same, and folding all of them took three times as long. In parts, so that a statement of millions of rows
  // does not make one text of all their names.
  `CREATE FUNCTION name_words_of_new() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     PERFORM public.name_words_learn(string_to_array(public.name_form(string_agg(name, ' ')), ' '))
     FROM (SELECT name, row_number() OVER () / 10000 AS part
           FROM (SELECT family_name AS name FROM new_rows UNION SELECT used_name FROM new_rows
                 UNION SELECT given_names FROM new_rows) different) numbered
     GROUP BY part;
     RETURN NULL;
   END $$`,
  `CREATE FUNCTION name_words_of_changed() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     PERFORM public.name_words_learn(string_to_array(public.name_form(
       concat_ws(' ', NEW.family_name, NEW.used_name, NEW.given_names)), ' '));
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER name_words_of_new AFTER INSERT ON patients REFERENCING NEW TABLE AS new_rows
   FOR EACH STATEMENT EXECUTE FUNCTION name_words_of_new()`,
  `CREATE TRIGGER name_words_of_changed AFTER UPDATE ON patients FOR EACH ROW
   WHEN (NEW.family_name <> OLD.family_name OR NEW.given_names <> OLD.given_names
         OR NEW.used_name IS DISTINCT FROM OLD.used_name) EXECUTE FUNCTION name_words_of_changed()`,
];

/** B-trees of values that hardly repeat: looking for equal ones before a page is split is work for nothing. */
const DIFFERENT = 'WITH (deduplicate_items = off)';

/** Few, because central applies backlogs through them: all of them take about as long as the rows themselves. */
function indexes(unique: boolean): string[] {
  return [
    // For equality and for beginnings, whatever the database's collation.
    // A region may hold a copy of another region's patient with the same medical id: the two are in conflict, and kept.
    unique
      ? `CREATE UNIQUE INDEX patients_medical_id ON patients (medical_id text_pattern_ops, region) ${DIFFERENT}`
      : `CREATE INDEX patients_medical_id ON patients (medical_id text_pattern_ops) ${DIFFERENT}`,
    // New words gather in a list that searches also read, and that is sorted in when it is full.
    `CREATE INDEX patients_names ON patients
     USING gin ((patient_words(family_name, used_name, given_names) COLLATE "C"))
     WITH (gin_pending_list_limit = 1024)`,
    `CREATE INDEX patients_family_name ON patients
       (patient_name_order(family_name, given_names) COLLATE "C", id) ${DIFFERENT}`,
    `CREATE INDEX patients_birth_date ON patients (birth_date)`,
    `CREATE INDEX patients_national_id ON patients (national_id) ${DIFFERENT} WHERE national_id IS NOT NULL`,
    `CREATE INDEX patients_phone ON patients (phone) ${DIFFERENT} WHERE phone IS NOT NULL`,
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
