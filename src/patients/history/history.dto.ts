import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { EXAMPLE } from '../patient.example.js';

/** One change, as the journal keeps it. */
export class HistoryEntry {
  @ApiProperty({ type: 'integer', example: 1042, description: 'Grows with every change on this node.' })
  seq!: number;

  @ApiProperty({
    example: 'update',
    enum: ['insert', 'update', 'remove', 'merge', 'restore', 'noop'],
    description:
      '`merge`: what two concurrent changes came to. `restore`: a record that was kept though somebody removed it. ' +
      '`noop`: asked for, and without effect because another change came first; see the conflict.',
  })
  op!: string;

  @ApiProperty({ example: 'patients', description: 'Which of the patient’s records changed.' })
  entity!: string;

  @ApiProperty({ format: 'uuid', example: EXAMPLE.id })
  entityId!: string;

  @ApiProperty({ format: 'date-time', example: EXAMPLE.updatedAt })
  at!: Date;

  @ApiProperty({ description: 'Id of the account, or the name of the program or database user.' })
  actor!: string;

  @ApiProperty({ type: String, nullable: true, example: 'Dr Awa Fall' })
  actorName!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'medecin' })
  role!: string | null;

  @ApiProperty({ type: String, nullable: true })
  reason!: string | null;

  @ApiProperty({ type: String, nullable: true })
  requestId!: string | null;

  @ApiProperty({ example: EXAMPLE.region, description: 'The node where the change was made.' })
  origin!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'array', minItems: 2, maxItems: 2, items: {} },
    example: { phone: ['+221771234567', '+221777654321'] },
    description: 'By field, the value before and after. Only fields that the caller may see.',
  })
  changes!: Readonly<Record<string, readonly [unknown, unknown]>>;
}

export class HistoryPage {
  @ApiProperty({ type: [HistoryEntry] })
  items!: readonly HistoryEntry[];

  @ApiProperty({ type: String, nullable: true, description: 'For the next page; null on the last.' })
  nextCursor!: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description:
      'From when on the history is complete. `null`: from the beginning. Where the node keeps its journal for ' +
      'some months only, older changes may be gone.',
  })
  historySince!: Date | null;

  @ApiPropertyOptional({ type: 'integer', description: 'Only when asked for with `total=true`.' })
  total?: number;
}
