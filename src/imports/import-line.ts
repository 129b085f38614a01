import type { FieldError } from '../http/problem.js';
import type { CreatePatient } from '../patients/patient.dto.js';

/** Where something was read: both count from 1. */
export interface Position {
  readonly file: number;
  readonly line: number;
}

/** What a source calls a patient, such as a FHIR identifier. The same key is the same patient for ever. */
export interface SourceKey {
  readonly system: string;
  readonly value: string;
}

/** A patient as a source describes them, checked. Fields that the source does not have are undefined. */
export interface PatientLine {
  readonly kind: 'patient';
  readonly at: Position;
  /** The first one decides who the patient is; the others must not contradict it. */
  readonly keys: readonly [SourceKey, ...SourceKey[]];
  readonly fields: CreatePatient;
  /** What was left out, and why. The patient is imported all the same. */
  readonly warnings: readonly FieldError[];
}

/** A substance that a patient does not tolerate. */
export interface AllergyLine {
  readonly kind: 'allergy';
  readonly at: Position;
  readonly patient: SourceKey;
  readonly text: string;
}

/** Something that MedLink does not keep. `reason` names the kind, and is reported once for all of it. */
export interface SkippedLine {
  readonly kind: 'skipped';
  readonly at: Position;
  readonly reason: string;
}

/** A line that cannot be imported. No message holds a value. */
export interface BadLine {
  readonly kind: 'bad';
  readonly at: Position;
  readonly errors: readonly FieldError[];
}

export type ImportLine = PatientLine | AllergyLine | SkippedLine | BadLine;

export function badLine(at: Position, path: string, message: string): BadLine {
  return { kind: 'bad', at, errors: [{ path, message }] };
}
