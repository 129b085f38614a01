import { ApiProperty } from '@nestjs/swagger';
import { IsObject } from 'class-validator';
import { CONFLICT_EXAMPLE } from '../conflict.example.js';
import { Reason, REASON_MAX } from '../reason.js';

const SIDE = {
  type: 'object' as const,
  required: ['take'],
  additionalProperties: false,
  properties: { take: { type: 'string' as const, enum: ['regional', 'central'] } },
};
const VALUE = {
  type: 'object' as const,
  required: ['value'],
  additionalProperties: false,
  properties: { value: { description: 'By the rules of the field' } },
};

export class ResolutionDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: { oneOf: [SIDE, VALUE] },
    example: { familyName: { take: 'regional' } },
    description:
      'Every name of `toDecide`: a side’s value, or another one. Fields that move as one (birth date and its ' +
      'precision) take the same side, or values for all.',
  })
  @IsObject()
  fields!: Record<string, unknown>;

  @ApiProperty({ minLength: 1, maxLength: REASON_MAX, example: CONFLICT_EXAMPLE.reason })
  @Reason()
  reason!: string;
}

export class ReopeningDto {
  @ApiProperty({ minLength: 1, maxLength: REASON_MAX, example: 'La carte était celle de sa sœur' })
  @Reason()
  reason!: string;
}

const by = (summary: string, fields: object) => ({
  summary,
  value: { fields, reason: CONFLICT_EXAMPLE.reason },
});

export const RESOLUTION_EXAMPLES = {
  side: by('The region’s value', { familyName: { take: 'regional' } }),
  value: by('Another value', { allergies: { value: ['Pénicilline', 'Arachide'] } }),
  group: by('Fields that move as one', {
    birthDate: { take: 'central' },
    birthDatePrecision: { take: 'central' },
  }),
  removal: by('A removal: the side that removed, or the one that changed', { removal: { take: 'regional' } }),
  identity: by('A medical id given twice: another one', { medicalId: { value: 'DKR-2024-00017' } }),
};
