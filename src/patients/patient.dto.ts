import {
  ApiExtraModels,
  ApiProperty,
  ApiPropertyOptional,
  ApiSchema,
  IntersectionType,
  PartialType,
  PickType,
} from '@nestjs/swagger';
import type { FieldGroup } from '../accounts/roles.js';
import { DisputedSideDto, KINDS } from '../conflicts/conflict.dto.js';
import { CONFLICT_EXAMPLE } from '../conflicts/conflict.example.js';
import { ReadOnly } from '../http/read-only.js';
import { fieldsInGroups, groupedFields, readOnlyFields } from './field-group.js';
import { EXAMPLE } from './patient.example.js';
import { Patient } from './patient.entity.js';

const REQUIRED = ['familyName', 'givenNames', 'birthDate', 'sex'] as const;
const OPTIONAL = [
  'usedName',
  'birthDatePrecision',
  'birthPlace',
  'nationalId',
  'phone',
  'email',
  'address',
  'location',
  'bloodGroup',
  'allergies',
  'chronicConditions',
  'emergencyContact',
  'deceasedAt',
  'notes',
] as const;

const FIELD = CONFLICT_EXAMPLE.fields.familyName;

/** What every registrar may send, as it is and again: without a medical id, and without clinical fields. */
const REGISTRATION = exampleOf(['identity', 'contact']);
export const PATCH_EXAMPLE = { phone: '+221 77 765 43 21', address: { line: '3 avenue Cheikh Anta Diop' } };

class OptionalFields extends PartialType(PickType(Patient, OPTIONAL)) {}

/** A new patient. What is absent or `null` is unknown. */
@ApiSchema(withExample('A new patient. What is absent or `null` is unknown.', REGISTRATION))
@ReadOnly(...readOnlyFields(Patient), 'disputed')
export class CreatePatient extends IntersectionType(
  PickType(Patient, REQUIRED),
  PartialType(PickType(Patient, ['medicalId'])),
  OptionalFields,
) {}

/** New values for some fields: the required ones cannot be removed. */
@ApiSchema(withExample('New values for some fields; `null` clears one.', PATCH_EXAMPLE))
@ReadOnly(...readOnlyFields(Patient), 'disputed')
export class ChangedFields extends IntersectionType(
  PartialType(PickType(Patient, [...REQUIRED, 'medicalId']), { skipNullProperties: false }),
  OptionalFields,
) {}

/** The fields that people set, as a patient holds them. */
export type PatientFields = Pick<
  Patient,
  (typeof REQUIRED)[number] | (typeof OPTIONAL)[number] | 'medicalId'
>;
export type PatientField = keyof PatientFields;

export const PATIENT_FIELDS = groupedFields(Patient) as readonly PatientField[];

/** What a field is when nothing is known of it. Fields that are not here are never unknown. */
const UNKNOWN: Partial<PatientFields> = {
  birthDatePrecision: 'day',
  allergies: [],
  chronicConditions: [],
};

/** `value` as the database keeps it: the members that a part of a patient lacks are left out. */
export function settled(field: PatientField, value: unknown): unknown {
  if (value === undefined || value === null) return UNKNOWN[field] ?? null;
  if (typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => member !== undefined && member !== null),
  );
}

/** Two values of a field that nobody has decided between yet. */
export class OpenDisputeDto {
  @ApiProperty({ format: 'uuid', example: CONFLICT_EXAMPLE.id })
  conflictId!: string;

  @ApiProperty({ enum: KINDS, example: 'fields' })
  kind!: string;

  @ApiProperty({ type: DisputedSideDto })
  regional!: DisputedSideDto;

  @ApiProperty({ type: DisputedSideDto, example: FIELD.central })
  central!: DisputedSideDto;
}

/** A patient as the caller's role may see it: the fields of other groups are absent. */
@ApiExtraModels(OpenDisputeDto)
export class PatientView extends Patient {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'array', items: { $ref: '#/components/schemas/OpenDisputeDto' } },
    example: {
      familyName: [
        {
          conflictId: CONFLICT_EXAMPLE.id,
          kind: 'fields',
          regional: FIELD.regional,
          central: FIELD.central,
        },
      ],
    },
    description:
      'While a conflict is open: by field, both values with their authors. Of allergies and chronic conditions the ' +
      'field itself holds what either side has. `removal`: one side removed the patient.',
  })
  disputed?: Readonly<Record<string, readonly OpenDisputeDto[]>>;
}

export class PatientPage {
  @ApiProperty({ type: [PatientView] })
  items!: readonly Partial<PatientView>[];

  @ApiProperty({ type: String, nullable: true, description: 'For the next page; null on the last.' })
  nextCursor!: string | null;

  @ApiPropertyOptional({ type: 'integer', description: 'Only when asked for with `total=true`.' })
  total?: number;
}

/** Bodies that can be sent as they are, and again. */
export const CREATE_EXAMPLES = {
  registration: { summary: 'Identity and contact', value: REGISTRATION },
  complete: {
    summary: 'With clinical data (medecin)',
    value: exampleOf(['identity', 'contact', 'clinical']),
  },
};

/** The decorator's type knows of no example, but the document gets all that it is given. */
function withExample(description: string, example: object): { description: string } {
  return { description, ...{ example } };
}

function exampleOf(groups: readonly FieldGroup[]): Record<string, unknown> {
  const fields = fieldsInGroups(Patient, groups).filter((field) => field !== 'medicalId');
  return Object.fromEntries(fields.map((field) => [field, EXAMPLE[field as PatientField]]));
}
