import { ApiProperty } from '@nestjs/swagger';
import { OUTCOMES } from '../conflict.dto.js';
import type { ConflictOutcome } from '../conflict.entity.js';
import { CONFLICT_EXAMPLE } from '../conflict.example.js';

/** A value that the caller had set is not the one in force. */
export class NotificationDto {
  @ApiProperty({ format: 'uuid', example: CONFLICT_EXAMPLE.id, description: 'That of the conflict' })
  id!: string;

  @ApiProperty({ format: 'date-time', example: CONFLICT_EXAMPLE.at, description: 'When it was decided' })
  at!: Date;

  @ApiProperty({ format: 'uuid', example: CONFLICT_EXAMPLE.id })
  conflictId!: string;

  @ApiProperty({ format: 'uuid', example: CONFLICT_EXAMPLE.patientId })
  patientId!: string;

  @ApiProperty({
    type: [String],
    example: ['familyName'],
    description: 'Fields of which another value is kept',
  })
  fields!: readonly string[];

  @ApiProperty({
    type: String,
    nullable: true,
    example: CONFLICT_EXAMPLE.fields.familyName.central.actorName,
    description: 'Who had set the values that are kept',
  })
  keptValueBy!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: CONFLICT_EXAMPLE.actorName,
    description: 'Who decided',
  })
  decidedByName!: string | null;

  @ApiProperty({ type: String, nullable: true, example: CONFLICT_EXAMPLE.reason })
  reason!: string | null;

  @ApiProperty({ enum: OUTCOMES, example: 'person', description: 'Whether a person decided, or a policy' })
  outcome!: ConflictOutcome | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  readAt!: Date | null;
}

export class NotificationPage {
  @ApiProperty({ type: [NotificationDto] })
  items!: readonly NotificationDto[];

  @ApiProperty({ type: String, nullable: true, description: 'For the next page; null on the last.' })
  nextCursor!: string | null;

  @ApiProperty({ type: 'integer', required: false, description: 'Only when asked for with `total=true`.' })
  total?: number;
}
