import pg from 'pg';
import { DataSource } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { connectionOptions } from '../../ormconfig/connection-options.js';
import { CaptureSubscriber } from '../../src/journal/capture.subscriber.js';
import { replicatedTables } from '../../src/journal/replicated-tables.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { PatientsRouter } from '../../src/patients/patients.router.js';
import type { EntityClass } from '../../src/routing/connection-router.js';
import { REGIONALE } from '../../src/routing/connection-names.js';
import { RoutingTable } from '../../src/routing/routing-table.js';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';

/** One row of the journal, as `pg` gives it. */
export interface JournalRow {
  seq: string;
  op: string;
  entity: string;
  entity_id: string;
  patient_id: string;
  change_set: string;
  change_set_size: number;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  actor: string;
  captured_by: string;
}

export interface CapturedDatabase {
  readonly source: DataSource;
  /** What a person has who opens psql: a session that is not the application's. */
  readonly outside: pg.Client;
  readonly databases: TestDatabases;
  /** How often the journal said that it has grown. */
  commits(): number;
  journal(): Promise<JournalRow[]>;
  rows(): Promise<Record<string, unknown>[]>;
  /** A patient that is there already, with a journal that is empty again. */
  stored(fields?: Partial<Patient>): Promise<Patient>;
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** A regional database of a region called DKR, with the patients and `others` under capture. */
export async function openCapturedDatabase(...others: EntityClass[]): Promise<CapturedDatabase> {
  const databases = await cloneDatabases();
  const features = [{ entities: [Patient], router: PatientsRouter }, { entities: others }];
  const routes = new RoutingTable(features, 'standalone');
  const source = await new DataSource(
    connectionOptions(REGIONALE, databases.regionaleUrl, routes),
  ).initialize();
  let commits = 0;
  const asReplica = async (...statements: string[]) => {
    for (const sql of [
      'SET session_replication_role = replica',
      ...statements,
      'SET session_replication_role = origin',
    ])
      await outside.query(sql);
  };
  source.subscribers.push(new CaptureSubscriber(replicatedTables(source), () => (commits += 1)));
  const outside = new pg.Client({ connectionString: databases.regionaleUrl });
  await outside.connect();
  await outside.query(`INSERT INTO node (code) VALUES ('DKR') ON CONFLICT DO NOTHING`);
  return {
    source,
    outside,
    databases,
    commits: () => commits,
    journal: async () => (await outside.query<JournalRow>('SELECT * FROM journal ORDER BY seq')).rows,
    rows: async () =>
      (
        await outside.query<{ row: Record<string, unknown> }>(
          'SELECT to_jsonb(p) AS row FROM patients p ORDER BY id',
        )
      ).rows.map(({ row }) => row),
    async stored(fields) {
      const patient = await source.getRepository(Patient).save(aPatient(fields));
      await asReplica('DELETE FROM journal');
      return patient;
    },
    async clear() {
      await asReplica('DELETE FROM patients', 'DELETE FROM journal');
      commits = 0;
    },
    async close() {
      await outside.end();
      await source.destroy();
      await databases.drop();
    },
  };
}

let made = 0;

/** A patient with every column given, unlike any other. */
export function aPatient(fields: Partial<Patient> = {}): Patient {
  made += 1;
  const now = new Date('2026-03-01T10:00:00.123Z');
  return Object.assign(new Patient(), {
    id: uuidv7(),
    medicalId: `TEST-${String(made)}`,
    region: 'DKR',
    familyName: `N'Diaye${String(made)}`,
    usedName: null,
    givenNames: 'Awa',
    birthDate: '1990-02-03',
    birthDatePrecision: 'day',
    sex: 'female',
    birthPlace: null,
    nationalId: null,
    phone: '+221771234567',
    email: null,
    address: { city: 'Dakar' },
    location: null,
    bloodGroup: null,
    allergies: ['Pénicilline'],
    chronicConditions: [],
    emergencyContact: null,
    deceasedAt: null,
    notes: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
    createdBy: 'test',
    updatedBy: 'test',
    ...fields,
  });
}
