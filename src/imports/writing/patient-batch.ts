import { type EntityManager, In } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { insertRows } from '../../journal/insert-rows.js';
import { PATIENT_FIELDS, type PatientFields, settled } from '../../patients/patient.dto.js';
import { Patient } from '../../patients/patient.entity.js';
import type { PatientLine } from '../import-line.js';
import type { LineOutcome } from './line-outcome.js';
import { lockPatients } from './lock-patients.js';
import { mergedFields } from './merge-fields.js';
import { addOwners, findOwners, keyText } from './source-keys.js';

/** For whom, and by whom, patients are imported. */
export interface Registrar {
  /** Home region of new patients; those of other regions are left alone. */
  readonly region: string;
  /** Account, or program, that imports. */
  readonly actor: string;
  readonly nextMedicalId: () => Promise<string>;
}

const ANOTHER_SOURCE = 'was given by another source before: name the sources apart with "source"';
const REMOVED = 'A patient who was removed here is not brought back';
const OTHER_REGION = 'the patient belongs to another region';
const ID_TAKEN = 'belongs to another patient';

/**
 * Writes one batch of patients in the transaction of `manager`, in the order of their lines; of several
 * lines about one patient the later ones change what the earlier ones made.
 */
export async function writePatients(
  manager: EntityManager,
  lines: readonly PatientLine[],
  registrar: Registrar,
): Promise<LineOutcome[]> {
  const batch = await PatientBatch.load(manager, lines, registrar);
  const outcomes: LineOutcome[] = [];
  for (const line of lines) outcomes.push({ line, ...(await batch.take(line)) });
  await batch.write(manager);
  return outcomes;
}

type Outcome = Omit<LineOutcome, 'line'>;

/** What a batch knows of the patients that it is about, and what is to be written of it. */
class PatientBatch {
  private readonly added: Parameters<typeof addOwners>[1][number][] = [];
  private readonly created: Patient[] = [];
  private readonly changed = new Set<Patient>();

  private constructor(
    private readonly owners: Map<string, string>,
    private readonly patients: Map<string, Patient>,
    private readonly medicalIds: Map<string, string>,
    private readonly registrar: Registrar,
  ) {}

  static async load(
    manager: EntityManager,
    lines: readonly PatientLine[],
    registrar: Registrar,
  ): Promise<PatientBatch> {
    const owners = await findOwners(
      manager,
      lines.flatMap(({ keys }) => keys),
    );
    const patients = await lockPatients(manager, [...owners.values()]);
    const given = lines.flatMap(({ fields }) => fields.medicalId ?? []);
    return new PatientBatch(owners, patients, await medicalIdOwners(manager, given), registrar);
  }

  async take(line: PatientLine): Promise<Outcome> {
    const { medicalId } = line.fields;
    const id = this.owners.get(keyText(line.keys[0]));
    const references = line.keys.slice(1).map((key) => this.owners.get(keyText(key)));
    if (references.some((owner) => owner !== undefined && owner !== id))
      return { result: 'failed', path: 'id', message: ANOTHER_SOURCE };
    const holder = medicalId == null ? undefined : this.medicalIds.get(medicalId);
    if (holder !== undefined && holder !== id)
      return { result: 'failed', path: 'medicalId', message: ID_TAKEN };
    if (id === undefined) return this.create(line);
    const patient = this.patients.get(id);
    if (!patient) return { result: 'skipped', message: REMOVED };
    if (patient.region !== this.registrar.region)
      return { result: 'failed', path: '', message: OTHER_REGION };
    return this.update(patient, line);
  }

  async write(manager: EntityManager): Promise<void> {
    await insertRows(manager, Patient, this.created);
    await addOwners(manager, this.added);
    if (this.changed.size > 0) await manager.save(Patient, [...this.changed], { reload: false });
  }

  private async create(line: PatientLine): Promise<Outcome> {
    const now = new Date();
    const { actor, region, nextMedicalId } = this.registrar;
    const fields = PATIENT_FIELDS.map((field) => [field, settled(field, line.fields[field])]);
    const patient: Patient = {
      id: uuidv7(),
      ...(Object.fromEntries(fields) as PatientFields),
      medicalId: line.fields.medicalId ?? (await nextMedicalId()),
      region,
      version: 1,
      createdAt: now,
      updatedAt: now,
      createdBy: actor,
      updatedBy: actor,
    };
    this.created.push(patient);
    this.remember(patient, line);
    return { result: 'created' };
  }

  private update(patient: Patient, line: PatientLine): Outcome {
    this.remember(patient, line);
    const changes = mergedFields(patient, line.fields);
    if (Object.keys(changes).length === 0) return { result: 'unchanged' };
    Object.assign(patient, changes);
    if (!this.created.includes(patient)) this.raise(patient);
    return { result: 'updated' };
  }

  /** Once a batch, however many lines change the patient: they commit together. */
  private raise(patient: Patient): void {
    if (this.changed.has(patient)) return;
    this.changed.add(patient);
    patient.version += 1;
    patient.updatedAt = new Date();
    patient.updatedBy = this.registrar.actor;
  }

  private remember(patient: Patient, { keys }: PatientLine): void {
    this.patients.set(patient.id, patient);
    this.medicalIds.set(patient.medicalId, patient.id);
    for (const key of keys.filter((candidate) => !this.owners.has(keyText(candidate)))) {
      this.owners.set(keyText(key), patient.id);
      this.added.push({ ...key, patientId: patient.id });
    }
  }
}

async function medicalIdOwners(
  manager: EntityManager,
  medicalIds: readonly string[],
): Promise<Map<string, string>> {
  if (medicalIds.length === 0) return new Map();
  const found = await manager.find(Patient, {
    select: { id: true, medicalId: true },
    where: { medicalId: In([...medicalIds]) },
  });
  return new Map(found.map(({ id, medicalId }) => [medicalId, id]));
}
