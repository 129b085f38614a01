import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsObject, IsOptional, IsString, Max, Min } from 'class-validator';
import { CONFLICT_EXAMPLE } from '../conflict.example.js';

export const PREVIEWED_POLICIES = ['latest', 'review', 'central'] as const;
export type PreviewedPolicy = (typeof PREVIEWED_POLICIES)[number];
const MOST = 1_000;

export class PreviewDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string', enum: [...PREVIEWED_POLICIES] },
    example: { phone: 'latest', familyName: 'review' },
    description:
      'By field. `latest`: the later change wins; `review`: a person decides; `central`: central’s value stays. ' +
      'Fields that move as one have the same.',
  })
  @IsObject()
  policies!: Record<string, unknown>;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MOST, default: 100, example: 100 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MOST)
  last: number = 100;

  @ApiPropertyOptional({ default: 'patients', description: 'Whose conflicts' })
  @IsOptional()
  @IsString()
  entity: string = 'patients';
}

export class PreviewItem {
  @ApiProperty({ format: 'uuid', example: CONFLICT_EXAMPLE.id })
  conflictId!: string;

  @ApiProperty({ example: 'phone' })
  field!: string;

  @ApiProperty({
    enum: ['review', 'policy'],
    example: 'review',
    description: 'Left to a person, or to a policy',
  })
  was!: 'review' | 'policy';

  @ApiProperty({ enum: ['review', 'policy'], example: 'policy' })
  wouldBe!: 'review' | 'policy';

  @ApiProperty({
    enum: ['regional', 'central'],
    example: 'regional',
    description: 'Whose value would be in force; under review, until a person has decided',
  })
  wouldKeep!: 'regional' | 'central';
}

class PreviewCount {
  @ApiProperty({ type: 'integer', example: 12 })
  review!: number;

  @ApiProperty({ type: 'integer', example: 30 })
  policy!: number;
}

class PreviewCounts {
  @ApiProperty({ type: PreviewCount })
  was!: PreviewCount;

  @ApiProperty({ type: PreviewCount })
  wouldBe!: PreviewCount;
}

export class PolicyPreviewDto {
  @ApiProperty({ type: 'integer', example: 100, description: 'Conflicts that were looked at' })
  considered!: number;

  @ApiProperty({
    type: 'integer',
    example: 12,
    description: 'Of the items, those that would be left to somebody else, or keep another value',
  })
  changed!: number;

  @ApiProperty({ type: [PreviewItem], description: 'A disputed field of a conflict each, the newest first' })
  items!: readonly PreviewItem[];

  @ApiProperty({ type: PreviewCounts })
  counts!: PreviewCounts;
}
