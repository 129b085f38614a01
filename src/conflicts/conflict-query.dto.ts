import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsUUID, Matches } from 'class-validator';
import { isCalendarDate } from '../http/calendar-date.js';
import { Check, MALFORMED } from '../http/check.js';
import { PageQuery } from '../http/page.js';
import { KINDS, SEVERITIES, STATES } from './conflict.dto.js';
import type { ConflictKind, ConflictSeverity, ConflictState } from './conflict.entity.js';

export const CONFLICT_SORTS = ['worst', 'createdAt', '-createdAt'] as const;
export type ConflictSort = (typeof CONFLICT_SORTS)[number];

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** The filters of a list of conflicts. All that are given must hold. */
export class ConflictQuery extends PageQuery {
  @ApiPropertyOptional({ enum: STATES, description: 'Both when absent' })
  @IsOptional()
  @IsIn(STATES, { context: MALFORMED })
  state?: ConflictState;

  @ApiPropertyOptional({ enum: SEVERITIES })
  @IsOptional()
  @IsIn(SEVERITIES, { context: MALFORMED })
  severity?: ConflictSeverity;

  @ApiPropertyOptional({ enum: KINDS })
  @IsOptional()
  @IsIn(KINDS, { context: MALFORMED })
  kind?: ConflictKind;

  @ApiPropertyOptional({ pattern: '^[A-Z]{2,4}$', description: 'The region whose change met another one' })
  @IsOptional()
  @Matches(/^[A-Z]{2,4}$/, { context: MALFORMED, message: 'must be two to four capital letters' })
  region?: string;

  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  patientId?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Recorded before this instant: the old ones' })
  @IsOptional()
  @Check(
    'isInstantForm',
    'must be a date and time with its offset, like 2026-05-04T09:30:00Z',
    (value) => typeof value === 'string' && INSTANT.test(value),
    MALFORMED,
  )
  @Check('isInstant', 'must be a date and time that exists', isInstant)
  openedBefore?: string;

  @ApiPropertyOptional({
    enum: CONFLICT_SORTS,
    default: 'worst',
    description: '`worst`: open ones first, then by severity, then the oldest first',
  })
  @IsOptional()
  @IsIn(CONFLICT_SORTS, { context: MALFORMED })
  sort?: ConflictSort;
}

function isInstant(value: unknown): boolean {
  return typeof value === 'string' && isCalendarDate(value.slice(0, 10)) && !Number.isNaN(Date.parse(value));
}
