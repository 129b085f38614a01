import { ApiPropertyOptional, IntersectionType, PartialType, PickType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsNumber, IsOptional, IsPositive, IsString, Max } from 'class-validator';
import { Check, MALFORMED } from '../../http/check.js';
import { numberOf, PageQuery } from '../../http/page.js';
import { CalendarDateFilter, InstantFilter } from '../fields/dates.js';
import { Text } from '../fields/text.js';
import { Patient } from '../patient.entity.js';
import { isOnGlobe, type Point, readPoint } from './near.js';
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
      'may be the beginning of a name, from three letters on have one slip in it, and from seven on two when ' +
      'nobody is found otherwise. Or a medical id: its beginning, or a whole generated one with one slip in ' +
      'it. Whole words come first, then beginnings, then slips.',
  })
  @IsOptional()
  @Check('maxWords', `must be at most ${MAX_WORDS} words`, (value) => wordsIn(value) <= MAX_WORDS)
  @Text(200)
  q?: string;

  @ApiPropertyOptional({
    maxLength: 200,
    description: 'The beginning of the family name, as for `q` but without slips.',
  })
  @IsOptional()
  @Text(200)
  familyName?: string;

  @ApiPropertyOptional({ maxLength: 200, description: 'The beginnings of given names, in any order.' })
  @IsOptional()
  @Text(200)
  givenNames?: string;

  @ApiPropertyOptional({ format: 'date' })
  @IsOptional()
  @CalendarDateFilter()
  birthDate?: string;

  @ApiPropertyOptional({
    description:
      'Latitude and longitude in degrees, like `14.67,-17.44`: patients who live within `radiusKm`.',
  })
  @IsOptional()
  @IsString()
  @Check(
    'isPoint',
    'must be latitude,longitude in degrees',
    (value) => pointIn(value) !== undefined,
    MALFORMED,
  )
  @Check('isOnGlobe', 'must be on the globe: at most 90 and 180 degrees', (value) => {
    const point = pointIn(value);
    return point === undefined || isOnGlobe(point);
  })
  near?: string;

  @ApiPropertyOptional({
    default: 10,
    maximum: 1000,
    description: 'Great-circle distance from `near`, in kilometres.',
  })
  @Transform(({ value }: { value: unknown }) => numberOf(value))
  @IsOptional()
  @IsNumber()
  @IsPositive()
  @Max(1000)
  @Check('hasCentre', 'needs near', (_, query) => (query as PatientQuery).near !== undefined)
  radiusKm?: number;

  @ApiPropertyOptional({ format: 'date-time', description: 'Changed at this instant or later.' })
  @IsOptional()
  @InstantFilter()
  updatedSince?: string;

  @ApiPropertyOptional({
    enum: SORT_NAMES,
    description:
      'With `-`, descending. Default: `relevance` with `q`, else `distance` with `near`, else `-createdAt`.',
  })
  @IsOptional()
  @IsIn(SORT_NAMES, { context: MALFORMED })
  @Check('isSortable', 'relevance needs q, and distance near', isSortable, MALFORMED)
  sort?: string;
}

function wordsIn(value: unknown): number {
  return typeof value === 'string' ? value.trim().split(/\s+/).length : 0;
}

function pointIn(value: unknown): Point | undefined {
  return typeof value === 'string' ? readPoint(value) : undefined;
}

function isSortable(sort: unknown, query: object): boolean {
  const { q, near } = query as PatientQuery;
  return (sort !== 'relevance' || q !== undefined) && (sort !== 'distance' || near !== undefined);
}
