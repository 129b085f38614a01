import { ApiExtraModels, ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { CONFLICT_EXAMPLE } from './conflict.example.js';
import type { ConflictKind, ConflictOutcome, ConflictSeverity, ConflictState } from './conflict.entity.js';

export const KINDS: readonly ConflictKind[] = ['fields', 'removal', 'identity'];
export const SEVERITIES: readonly ConflictSeverity[] = ['critical', 'high', 'low'];
export const STATES: readonly ConflictState[] = ['open', 'resolved'];
export const OUTCOMES: readonly ConflictOutcome[] = ['merge', 'policy', 'person'];
export const SIDES = ['regional', 'central'] as const;

const FIELD = CONFLICT_EXAMPLE.fields.familyName;

/** One side's value, and where it comes from. */
export class DisputedSideDto {
  @ApiProperty({ nullable: true, example: FIELD.regional.value, description: 'As the field itself' })
  value!: unknown;

  @ApiProperty({ example: FIELD.regional.actor, description: 'Id of the account, or the database user' })
  actor!: string;

  @ApiProperty({ type: String, nullable: true, example: FIELD.regional.actorName })
  actorName!: string | null;

  @ApiProperty({ type: String, nullable: true, example: FIELD.regional.role })
  role!: string | null;

  @ApiProperty({ format: 'date-time', example: FIELD.regional.at })
  at!: string;

  @ApiProperty({ example: FIELD.regional.node, description: 'A region’s code, or `central`' })
  node!: string;
}

export class DisputedFieldDto {
  @ApiProperty({ nullable: true, example: FIELD.base, description: 'What both sides had before' })
  base!: unknown;

  @ApiProperty({ type: DisputedSideDto })
  regional!: DisputedSideDto;

  @ApiProperty({ type: DisputedSideDto, example: FIELD.central })
  central!: DisputedSideDto;

  @ApiProperty({
    enum: ['regional', 'central', 'both'],
    example: FIELD.kept,
    description: 'Whose value was in force when the conflict was recorded; `both` when they fitted together',
  })
  kept!: string;

  @ApiPropertyOptional({
    nullable: true,
    example: FIELD.current,
    description: 'The value in force now; absent when the record is removed',
  })
  current?: unknown;
}

/** Two people changed the same thing without knowing of each other. */
@ApiExtraModels(DisputedFieldDto)
export class ConflictDto {
  @ApiProperty({ format: 'uuid', example: CONFLICT_EXAMPLE.id })
  id!: string;

  @ApiProperty({ format: 'uuid', example: CONFLICT_EXAMPLE.patientId })
  patientId!: string;

  @ApiProperty({ example: 'patients' })
  entity!: string;

  @ApiProperty({ format: 'uuid', example: CONFLICT_EXAMPLE.patientId })
  entityId!: string;

  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    example: null,
    description: 'Of an identity conflict: the other record',
  })
  otherId!: string | null;

  @ApiProperty({ example: 'DKR', description: 'The region whose change met another one' })
  region!: string;

  @ApiProperty({ enum: KINDS, example: 'fields' })
  kind!: ConflictKind;

  @ApiProperty({ enum: SEVERITIES, example: 'high' })
  severity!: ConflictSeverity;

  @ApiProperty({ enum: STATES, example: 'open' })
  state!: ConflictState;

  @ApiProperty({
    enum: OUTCOMES,
    nullable: true,
    example: null,
    description: 'How it ended: both sides fitted together, a field’s policy decided, or a person did',
  })
  outcome!: ConflictOutcome | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: { $ref: '#/components/schemas/DisputedFieldDto' },
    example: CONFLICT_EXAMPLE.fields,
    description: 'By field; only those that the caller’s role may see',
  })
  fields!: Readonly<Record<string, DisputedFieldDto>>;

  @ApiProperty({
    type: [String],
    example: ['familyName'],
    description: 'Names of everything that a decision must hold',
  })
  toDecide!: readonly string[];

  @ApiProperty({
    type: 'object',
    nullable: true,
    additionalProperties: true,
    example: null,
    description: 'What was decided, by field: `{"take": "regional"}` or `{"value": …}`',
  })
  decisions!: Readonly<Record<string, unknown>> | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    description: 'Of the decision, or of the reopening',
  })
  reason!: string | null;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'Id of the account' })
  decidedBy!: string | null;

  @ApiProperty({ type: String, nullable: true, example: null })
  decidedByName!: string | null;

  @ApiProperty({ type: String, nullable: true, example: null })
  decidedRole!: string | null;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'A region’s code, or `central`' })
  decidedNode!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  decidedAt!: Date | null;

  @ApiProperty({ format: 'date-time', example: CONFLICT_EXAMPLE.at })
  createdAt!: Date;

  @ApiProperty({ format: 'date-time', example: CONFLICT_EXAMPLE.at })
  updatedAt!: Date;

  @ApiProperty({ type: 'integer', example: 1 })
  version!: number;
}

export class ConflictPage {
  @ApiProperty({ type: [ConflictDto] })
  items!: readonly ConflictDto[];

  @ApiProperty({ type: String, nullable: true, description: 'For the next page; null on the last.' })
  nextCursor!: string | null;

  @ApiPropertyOptional({ type: 'integer', description: 'Only when asked for with `total=true`.' })
  total?: number;
}
