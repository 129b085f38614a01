import { isDeepStrictEqual } from 'node:util';
import type { Role } from '../accounts/roles.js';
import { Problem } from '../http/problem.js';
import { parse } from '../http/validation.js';
import { isJsonObject, type JsonObject, mergePatch } from './merge-patch.js';
import { mayRead, mayWrite, refuseFieldsBeyond } from './patient-access.js';
import {
  ChangedFields,
  PATIENT_FIELDS,
  type PatientField,
  type PatientFields,
  settled,
} from './patient.dto.js';
import type { Patient } from './patient.entity.js';

/** Judged together: none of them can be said to be right without the others. */
const BIRTH_AND_DEATH: readonly PatientField[] = ['birthDate', 'birthDatePrecision', 'deceasedAt'];

type Fields = Partial<Record<PatientField, unknown>>;

/**
 * What `patch` (RFC 7396) changes of `patient`, checked. Throws a {@link Problem}: 400 and 422 as
 * {@link parse} does, 403 when it names a field that `role` may not set.
 */
export async function patchedFields(
  patient: Patient,
  patch: unknown,
  role: Role,
): Promise<Partial<PatientFields>> {
  const named = await fieldsOf(patch);
  refuseFieldsBeyond(role, named);
  return changedFields(patient, mergePatch(fieldsAsTheyAre(patient), patch) as Fields);
}

/**
 * What changes when `body` takes the place of all that `role` may set in `patient`. A field that the
 * role sees and may not set can be sent back as it was read. Throws as {@link patchedFields} does.
 */
export async function replacedFields(
  patient: Patient,
  body: unknown,
  role: Role,
): Promise<Partial<PatientFields>> {
  const named = await fieldsOf(body);
  const current = fieldsAsTheyAre(patient);
  const sent = body as Fields;
  const kept = (field: PatientField) =>
    mayRead(role, field) && isDeepStrictEqual(settled(field, sent[field]), patient[field]);
  refuseFieldsBeyond(
    role,
    named.filter((field) => !kept(field)),
  );
  const replaced = PATIENT_FIELDS.filter((field) => mayWrite(role, field));
  const wanted = Object.fromEntries(replaced.map((field) => [field, sent[field] ?? undefined])) as Fields;
  // The medical id is given once; whoever does not repeat it does not mean to take it away.
  if (sent.medicalId === undefined) delete wanted.medicalId;
  return changedFields(patient, { ...current, ...wanted });
}

/** What changes when `wanted`, by field, is decided for `patient`. Throws a 422 {@link Problem} as {@link parse} does. */
export function decidedFields(
  patient: Patient,
  wanted: Readonly<Record<string, unknown>>,
): Promise<Partial<PatientFields>> {
  const known = Object.entries(wanted).map(([field, value]) => [field, value ?? undefined]);
  return changedFields(patient, { ...fieldsAsTheyAre(patient), ...Object.fromEntries(known) } as Fields);
}

/** The members of a body; unknown ones are a 400 before anything is said of rights. */
async function fieldsOf(body: unknown): Promise<PatientField[]> {
  const members = isJsonObject(body) ? Object.keys(body) : [];
  const unknown = members.filter((member) => !(PATIENT_FIELDS as readonly string[]).includes(member));
  if (isJsonObject(body) && unknown.length === 0) return members as PatientField[];
  // It names these, and what else is wrong.
  await parse(ChangedFields, body);
  throw new Problem(400, 'malformed-input', 'The request cannot be understood', {
    errors: unknown.map((path) => ({ path, message: 'is not known here' })),
  });
}

/** Only what differs is judged: a value that older rules accepted does not stand in the way of another. */
async function changedFields(patient: Patient, wanted: Fields): Promise<Partial<PatientFields>> {
  const current = fieldsAsTheyAre(patient);
  const touched = PATIENT_FIELDS.filter((field) => !isDeepStrictEqual(wanted[field], current[field]));
  const judged = touched.some((field) => BIRTH_AND_DEATH.includes(field))
    ? [...touched, ...BIRTH_AND_DEATH]
    : touched;
  // A required field that is missing must be seen as missing, hence null rather than undefined.
  const document = Object.fromEntries(judged.map((field) => [field, wanted[field] ?? null]));
  const accepted = await parse(ChangedFields, document);
  const changes = touched.map((field) => [field, settled(field, accepted[field])] as const);
  return Object.fromEntries(changes.filter(([field, value]) => !isDeepStrictEqual(value, patient[field])));
}

/** As JSON shows them, without those that are unknown. */
function fieldsAsTheyAre(patient: Patient): JsonObject & Fields {
  const known = PATIENT_FIELDS.filter((field) => patient[field] !== null);
  return Object.fromEntries(known.map((field) => [field, patient[field]]));
}
