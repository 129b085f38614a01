import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, IsUUID, Matches, MaxLength } from 'class-validator';
import { MALFORMED } from '../http/check.js';
import { PageQuery } from '../http/page.js';

export const QUARANTINE_STATES = ['refused', 'waiting', 'held', 'applied', 'discarded'] as const;
export type QuarantineState = (typeof QUARANTINE_STATES)[number];

export class QuarantineQuery extends PageQuery {
  @ApiPropertyOptional({ enum: QUARANTINE_STATES, description: 'Those that wait for a decision when absent' })
  @IsOptional()
  @IsIn(QUARANTINE_STATES, { context: MALFORMED })
  state?: QuarantineState;

  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  patientId?: string;
}

/** A change that could not be applied, or that waits behind one. Its values are not shown here. */
export class QuarantinedDto {
  @ApiProperty({ example: '7' })
  id!: string;

  @ApiProperty({
    enum: QUARANTINE_STATES,
    description:
      '`waiting`: behind a refused change of the same patient; `held`: until central is upgraded, or behind such a one',
  })
  state!: QuarantineState;

  @ApiProperty({
    type: String,
    nullable: true,
    example: '23514',
    description: 'SQLSTATE, or a code of MedLink',
  })
  code!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'What the database said, without values' })
  message!: string | null;

  @ApiProperty({ example: 1 })
  attempts!: number;

  @ApiProperty({ format: 'date-time' })
  heldAt!: Date;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  lastAttemptAt!: Date | null;

  @ApiProperty({ example: 'DKR', description: 'The node where the change was made' })
  origin!: string;

  @ApiProperty({ example: '1042', description: 'Its position in that node’s journal' })
  originSeq!: string;

  @ApiProperty({ example: 'patients' })
  entity!: string;

  @ApiProperty({ format: 'uuid' })
  entityId!: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  patientId!: string | null;

  @ApiProperty({ example: 'update' })
  op!: string;

  @ApiProperty({ type: [String], example: ['phone'], description: 'The columns that it changes' })
  fields!: string[];

  @ApiProperty()
  actor!: string;

  @ApiProperty({ type: String, nullable: true })
  actorName!: string | null;

  @ApiProperty({ format: 'date-time', description: 'When the change was made' })
  at!: Date;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  decidedAt!: Date | null;

  @ApiProperty({ type: String, nullable: true })
  decidedBy!: string | null;

  @ApiProperty({ type: String, nullable: true })
  decisionReason!: string | null;
}

export class QuarantinePage {
  @ApiProperty({ type: [QuarantinedDto] })
  items!: QuarantinedDto[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;

  @ApiPropertyOptional({ type: 'integer' })
  total?: number;
}

export class DecisionDto {
  @ApiProperty({
    example: 'Corrigé à la source',
    maxLength: 1000,
    description: 'Why; kept with the decision',
  })
  @IsString()
  @MaxLength(1000)
  @Matches(/\S/, { message: 'must say why' })
  reason!: string;
}

export class DecisionOutcomeDto {
  @ApiProperty({ example: 3, description: 'Entries that are applied now' })
  applied!: number;

  @ApiProperty({ example: 0, description: 'Entries that failed again' })
  refused!: number;

  @ApiProperty({ example: 0, description: 'Entries that still wait behind a refused one' })
  waiting!: number;

  @ApiProperty({ example: 0, description: 'Entries that wait until central is upgraded' })
  held!: number;
}
