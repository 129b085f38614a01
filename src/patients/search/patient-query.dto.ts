import { ApiPropertyOptional, IntersectionType, PartialType, PickType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsNumber, IsOptional, IsPositive, IsString, Max, ValidateBy } from 'class-validator';
import { PageQuery } from '../../http/page.js';
import { CalendarDate, Instant } from '../fields/dates.js';
import { Text } from '../fields/text.js';
import { Patient } from '../patient.entity.js';
import { SORT_NAMES } from './sorts.js';

const MAX_WORDS = 6;

/** Filters that are a field's own value, in any form that the field accepts. */
class EqualFilters extends PartialType(PickType(Patient, ['sex', 'medicalId', 'nationalId', 'phone'])) {}

/** The filters of a list of patients. All that are given must hold. */
export class PatientQuery extends IntersectionType(PageQuery, EqualFilters) {
  @ApiPropertyOptional({
    maxLength: 200,
    description:
      'Words of the names, in any order, without regard to accents, capitals, apostrophes and hyphens. A word ' +
      'may be the beginning of a name, or from four letters on have one slip in it. Or a medical id: its ' +
      'beginning, or a whole generated one with one slip in it. The best matches come first.',
  })
  @IsOptional()
  @ValidateBy({
    name: 'maxWords',
    validator: {
      validate: (value) => typeof value !== 'string' || value.trim().split(/\s+/).length <= MAX_WORDS,
      defaultMessage: () => `must be at most ${MAX_WORDS} words`,
    },
  })
  @Text(200)
  q?: string;

  @ApiPropertyOptional({
    maxLength: 200,
    description: 'The beginning of the family name, as for `q` but without slips.',
  })
  @IsOptional()
  @Text(200)
  familyName?: string;

  @ApiPropertyOptional({ maxLength: 200, description: 'The beginning of the given names.' })
  @IsOptional()
  @Text(200)
  givenNames?: string;

  @ApiPropertyOptional({ format: 'date' })
  @IsOptional()
  @CalendarDate()
  birthDate?: string;

  @ApiPropertyOptional({
    description:
      'Latitude and longitude in degrees, like `14.67,-17.44`: patients who live within `radiusKm`.',
  })
  @IsOptional()
  @IsString()
  near?: string;

  @ApiPropertyOptional({
    default: 10,
    maximum: 1000,
    description: 'Great-circle distance from `near`, in kilometres.',
  })
  @Type(() => Number)
  @IsOptional()
  @IsNumber()
  @IsPositive()
  @Max(1000)
  radiusKm?: number;

  @ApiPropertyOptional({ format: 'date-time', description: 'Changed at this instant or later.' })
  @IsOptional()
  @Instant()
  updatedSince?: string;

  @ApiPropertyOptional({
    enum: SORT_NAMES,
    description:
      'With `-`, descending. Default: `relevance` with `q`, else `distance` with `near`, else `-createdAt`.',
  })
  @IsOptional()
  @IsString()
  sort?: string;
}
