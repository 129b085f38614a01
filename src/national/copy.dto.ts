import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, Matches } from 'class-validator';
import { Text } from '../patients/fields/text.js';

export class RequestCopy {
  @ApiProperty({
    maxLength: 500,
    example: 'Admise aux urgences de Thiès',
    description: 'Why; kept in the history, which the home region sees.',
  })
  @Text(500)
  reason!: string;

  @ApiPropertyOptional({
    example: 'THS',
    description: 'Code of the region that is to have the copy. Only national callers choose it.',
  })
  @IsOptional()
  @Matches(/^[A-Z]{2,4}$/, { message: 'must be two to four capital letters' })
  @IsString()
  region?: string;
}

/** `home`: it is the patient's home. `requested`: on its way. `arrived`: the region's node has it. */
export const COPY_STATES = ['home', 'requested', 'arrived'] as const;
export type CopyState = (typeof COPY_STATES)[number];

export class CopyView {
  @ApiProperty({ format: 'uuid' })
  patientId!: string;

  @ApiProperty({ example: 'THS', description: 'Code of the region' })
  region!: string;

  @ApiProperty({
    enum: COPY_STATES,
    description: '`home`: the region is the patient’s home. `requested`: on its way. `arrived`: it is there.',
  })
  state!: CopyState;
}
