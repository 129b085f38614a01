import { startApplication, type TestApplication } from '../harness/application.js';
import { until } from '../harness/until.js';
import { ALLERGIES, count, formOf, importAll, PATIENTS, resourcesOf, rowsOf } from './import-api.js';

/** A whole bulk export, as a hospital would hand it over: 1,144 patients and 835 allergies. */
describe('a bulk export of FHIR resources', () => {
  let node: TestApplication;
  let token: string;

  beforeAll(async () => {
    node = await startApplication();
    token = await node.adminToken();
  });

  afterAll(() => node.stop());

  it('is imported whole, allergies before patients or not, and reaches central field by field', async () => {
    const form = formOf({ 'AllergyIntolerance.ndjson': ALLERGIES, 'Patient.ndjson': PATIENTS });

    const run = await importAll(node.url, form, { token });

    expect(run).toMatchObject({
      state: 'done',
      format: 'ndjson',
      progress: 1,
      total: 1979,
      created: 1144,
      updated: 835,
      unchanged: 0,
      skipped: 0,
      failed: 0,
      errors: [],
      errorsCursor: null,
    });
    expect(await count(node, 'patients')).toBe(1144);
    const here = await rowsOf(node.regionale);
    await until(async () => (await count({ ...node, regionale: node.central }, 'patients')) === 1144, {
      what: 'central has every patient',
    });
    await until(async () => everyRowIsEqual(here, await rowsOf(node.central)), {
      what: 'both sides are equal',
    });
  });

  it('left every patient as the file has them', async () => {
    const { rows } = await node.regionale.query(
      `SELECT s.value AS source, p.*, p.birth_date::text AS birth_date
       FROM patients p JOIN import_sources s ON s.patient_id = p.id AND s.system LIKE 'https:%'`,
    );
    const bySource = new Map(rows.map((row) => [row.source, row]));
    for (const patient of resourcesOf(PATIENTS)) {
      const official = patient.name.find((name: any) => name.use === 'official');
      expect(bySource.get(patient.id)).toMatchObject({
        region: 'DKR',
        family_name: official.family,
        given_names: official.given.join(' '),
        birth_date: patient.birthDate,
        birth_date_precision: 'day',
        sex: patient.gender,
        national_id: patient.identifier.find((id: any) => id.system.endsWith('us-ssn')).value,
        phone: `+1${patient.telecom[0].value.replaceAll('-', '')}`,
        deceased_at: patient.deceasedDateTime ? new Date(patient.deceasedDateTime) : null,
        created_by: expect.any(String),
      });
      expect(bySource.get(patient.id).address).toMatchObject({
        city: patient.address[0].city,
        country: 'US',
      });
    }
    expect(new Set(rows.map((row) => row.medical_id)).size).toBe(1144);
  });

  it('gave each patient the allergies that the file has for them', async () => {
    const expected = new Map<string, Set<string>>();
    for (const { patient, code } of resourcesOf(ALLERGIES)) {
      const id = patient.reference.replace('Patient/', '');
      expected.set(id, (expected.get(id) ?? new Set()).add(code.text));
    }
    const { rows } = await node.regionale.query(
      `SELECT s.value AS source, p.allergies FROM patients p
       JOIN import_sources s ON s.patient_id = p.id AND s.system LIKE 'https:%' WHERE p.allergies <> '{}'`,
    );
    const imported = new Map(rows.map((row) => [row.source, new Set(row.allergies)]));
    expect(imported).toEqual(expected);
  });

  it('journals every patient, in the name of who imported them and of the import', async () => {
    const { rows } = await node.regionale.query(
      `SELECT op, role, count(*)::int AS entries, count(DISTINCT entity_id)::int AS patients
       FROM journal WHERE entity = 'patients' AND reason LIKE 'Import %' GROUP BY 1, 2 ORDER BY 1`,
    );
    expect(rows[0]).toEqual({ op: 'insert', role: 'admin_national', entries: 1144, patients: 1144 });
    expect(await count(node, `journal WHERE captured_by <> 'application'`)).toBe(0);
  });

  it('changes nothing when it is imported again', async () => {
    const before = await rowsOf(node.regionale);
    const entries = await count(node, 'journal');

    const run = await importAll(node.url, formOf({ 'p.ndjson': PATIENTS, 'a.ndjson': ALLERGIES }), { token });

    expect(run).toMatchObject({ state: 'done', created: 0, updated: 0, unchanged: 1979, failed: 0 });
    expect(await rowsOf(node.regionale)).toEqual(before);
    expect(await count(node, 'journal')).toBe(entries);
  });

  it('updates only what differs when one patient has changed at the source', async () => {
    const before = await rowsOf(node.regionale);
    const entries = await count(node, 'journal');
    const [first] = resourcesOf(PATIENTS);
    const moved = { ...first, telecom: [{ system: 'phone', value: '+1 555 123 4567' }] };

    const run = await importAll(node.url, JSON.stringify(moved), { token });

    expect(run).toMatchObject({ state: 'done', total: 1, updated: 1 });
    const after = await rowsOf(node.regionale);
    const changed = [...after].filter(([id, row]) => before.get(id) !== row);
    expect(changed).toHaveLength(1);
    const { rows } = await node.regionale.query(
      'SELECT op, before, after FROM journal ORDER BY seq DESC LIMIT 1',
    );
    expect(await count(node, 'journal')).toBe(entries + 1);
    expect(Object.keys(rows[0].after).sort()).toEqual(['phone', 'updated_at', 'version']);
    expect(rows[0].after.phone).toBe('+15551234567');
  });
});

function everyRowIsEqual(here: Map<string, string>, there: Map<string, string>): boolean {
  return here.size === there.size && [...here].every(([id, row]) => there.get(id) === row);
}
