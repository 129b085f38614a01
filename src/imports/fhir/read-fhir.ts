import { PickType } from '@nestjs/swagger';
import { CreatePatient } from '../../patients/patient.dto.js';
import { Patient } from '../../patients/patient.entity.js';
import { checkFields } from '../check-fields.js';
import { badLine, type ImportLine, type Position } from '../import-line.js';
import { readNdjson, type ResourceLine } from '../reading/read-ndjson.js';
import type { SourceFile } from '../reading/source-file.js';
import { mapAllergy } from './map-allergy.js';
import { mapPatient } from './map-patient.js';
import type { Json } from './resource.js';

const ALLERGY = 'AllergyIntolerance';

class AllergyText extends PickType(Patient, ['allergies']) {}

export interface FhirReading {
  /** Names the sender where a resource does not. */
  readonly source: string;
  readonly file: number;
  readonly count?: (bytes: number) => void;
}

/** Everything but allergies, which wait until all patients are known; `postponed` is called for each. */
export async function* readPatients(
  file: SourceFile,
  reading: FhirReading & { readonly postponed: () => void },
): AsyncGenerator<ImportLine> {
  for await (const line of readNdjson(file, reading.file, reading)) {
    if (line.kind === 'bad') yield line;
    else if (line.resource['resourceType'] === ALLERGY) reading.postponed();
    else yield await patientLine(line, reading.source);
  }
}

/** The allergies alone: what else is in the file has been told by {@link readPatients}. */
export async function* readAllergies(file: SourceFile, reading: FhirReading): AsyncGenerator<ImportLine> {
  for await (const line of readNdjson(file, reading.file, { ...reading, containing: ALLERGY })) {
    if (line.kind === 'resource' && line.resource['resourceType'] === ALLERGY)
      yield await allergyLine(line.resource, line.at, reading.source);
  }
}

async function patientLine({ resource, at }: ResourceLine, source: string): Promise<ImportLine> {
  const { resourceType } = resource;
  if (resourceType !== 'Patient') return otherLine(resourceType, at);
  const mapped = mapPatient(resource, source);
  if (!mapped) return badLine(at, 'id', 'is required, so that a repeated import knows the patient again');
  const checked = await checkFields(CreatePatient, mapped.fields);
  if ('errors' in checked) return { kind: 'bad', at, errors: checked.errors };
  return { kind: 'patient', at, keys: mapped.keys, fields: checked.fields, warnings: mapped.warnings };
}

/** Only what looks like the name of a FHIR resource is repeated in a message. */
function otherLine(resourceType: unknown, at: Position): ImportLine {
  if (typeof resourceType === 'string' && /^[A-Z][A-Za-z]{1,63}$/.test(resourceType))
    return { kind: 'skipped', at, reason: `${resourceType} is not imported` };
  return badLine(at, 'resourceType', 'must name a FHIR resource');
}

async function allergyLine(resource: Json, at: Position, source: string): Promise<ImportLine> {
  const mapped = mapAllergy(resource, source);
  if ('skipped' in mapped) return { kind: 'skipped', at, reason: `${mapped.skipped} is not imported` };
  if ('path' in mapped) return badLine(at, mapped.path, mapped.message);
  const checked = await checkFields(AllergyText, { allergies: [mapped.text] });
  if ('errors' in checked) return badLine(at, 'code', checked.errors[0]!.message);
  return { kind: 'allergy', at, patient: mapped.patient, text: checked.fields.allergies[0]! };
}
