import { ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { HistoryEntry } from '../patients/history/history.dto.js';

/** One entry of a node's journal. */
export class JournalEntry extends OmitType(HistoryEntry, ['changes']) {
  @ApiProperty({ type: 'integer', example: 1042, description: 'Its position in the journal of `origin`.' })
  originSeq!: number;

  @ApiProperty({ type: 'integer', example: 1, description: 'Which life of that journal.' })
  incarnation!: number;

  @ApiProperty({ example: '7311', description: 'Entries of one transaction at the origin have the same.' })
  changeSet!: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'null: it belongs to everyone.' })
  patientId!: string | null;

  @ApiProperty({ enum: ['application', 'database'], description: '`database`: made outside MedLink.' })
  capturedBy!: string;

  @ApiProperty({
    type: [String],
    example: ['phone'],
    description: 'Which fields it sets or changes, or of a removed record had.',
  })
  fields!: readonly string[];

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'array', minItems: 2, maxItems: 2, items: {} },
    example: { phone: ['+221771234567', '+221777654321'] },
    description: 'By field, the value before and after: of fields that the caller may read.',
  })
  changes!: Readonly<Record<string, readonly [unknown, unknown]>>;
}

export class JournalPage {
  @ApiProperty({ type: [JournalEntry] })
  items!: readonly JournalEntry[];

  @ApiProperty({ type: String, nullable: true, description: 'For the next page; null on the last.' })
  nextCursor!: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'From when on this node’s journal is whole; null: from its beginning.',
  })
  journalSince!: Date | null;

  @ApiPropertyOptional({ type: 'integer', description: 'Only when asked for with `total=true`.' })
  total?: number;
}
