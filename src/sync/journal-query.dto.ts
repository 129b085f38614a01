import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsUUID, Matches } from 'class-validator';
import { MALFORMED } from '../http/check.js';
import { PageQuery } from '../http/page.js';
import { InstantFilter } from '../patients/fields/dates.js';
import { Text } from '../patients/fields/text.js';

/** `noop`: a change that came in and made no difference. `merge`, `restore`: what central decided. */
export const OPERATIONS = ['insert', 'update', 'remove', 'merge', 'restore', 'noop'] as const;
export const JOURNAL_SORTS = ['seq', '-seq'] as const;

/** The filters of the journal. All that are given must hold. */
export class JournalQuery extends PageQuery {
  @ApiPropertyOptional({ example: 'patients', description: 'The table.' })
  @IsOptional()
  @Matches(/^[a-z_]{1,63}$/, { message: 'must be the name of a table', context: MALFORMED })
  entity?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'Give `entity` or `patientId` too where you know it.' })
  @IsOptional()
  @IsUUID()
  entityId?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'The patient whose file the record belongs to.' })
  @IsOptional()
  @IsUUID()
  patientId?: string;

  @ApiPropertyOptional({
    maxLength: 200,
    description: 'Id of the account, or the name of the program or database user.',
  })
  @IsOptional()
  @Text(200)
  actor?: string;

  @ApiPropertyOptional({
    example: 'DKR',
    description: 'The node that made the change: a region, or `central`.',
  })
  @IsOptional()
  @Matches(/^([A-Z]{2,4}|central)$/, {
    message: 'must be the code of a region, or central',
    context: MALFORMED,
  })
  origin?: string;

  @ApiPropertyOptional({ enum: OPERATIONS })
  @IsOptional()
  @IsIn(OPERATIONS, { context: MALFORMED })
  op?: (typeof OPERATIONS)[number];

  @ApiPropertyOptional({ format: 'date-time', description: 'Written at this instant or later.' })
  @IsOptional()
  @InstantFilter()
  since?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Written before this instant.' })
  @IsOptional()
  @InstantFilter()
  until?: string;

  @ApiPropertyOptional({ enum: JOURNAL_SORTS, default: 'seq', description: 'With `-`, newest first.' })
  @IsOptional()
  @IsIn(JOURNAL_SORTS, { context: MALFORMED })
  sort: (typeof JOURNAL_SORTS)[number] = 'seq';
}
