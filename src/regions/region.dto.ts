import { ApiProperty, ApiPropertyOptional, OmitType, PartialType, PickType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsString, Matches, MaxLength } from 'class-validator';
import { ReadOnly } from '../http/read-only.js';
import { NODE_STATES, type NodeState } from './node-state.js';
import { Region } from './region.entity.js';

const BOOKKEEPING = ['id', 'version', 'createdAt', 'updatedAt', 'node'];

@ReadOnly(...BOOKKEEPING)
export class NewRegion extends PickType(Region, ['code', 'name']) {}

/** JSON merge patch: what is absent stays, and nothing can be removed. */
@ReadOnly(...BOOKKEEPING, 'code')
export class RegionChange extends PartialType(PickType(Region, ['name', 'enabled']), {
  skipNullProperties: false,
}) {}

export class ReleaseRegion {
  @ApiProperty({ maxLength: 500, example: 'Le serveur de Thiès a brûlé', description: 'Why; kept.' })
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value))
  @Matches(/\S/, { message: 'must say why' })
  @MaxLength(500)
  @IsString()
  reason!: string;
}

/** A region's node as central knows it. */
export class RegionNodeView {
  @ApiProperty({
    enum: NODE_STATES,
    description:
      '`absent`: none has come yet, or its code was released. `up`: seen within the last half minute. ' +
      '`silent`: not seen since `lastSeenAt`.',
  })
  state!: NodeState;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  lastSeenAt!: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When central last applied a change of the region',
  })
  appliedAt!: Date | null;

  @ApiProperty({ type: 'integer', example: 0, description: 'Journal entries that the node has yet to get.' })
  pendingDown!: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the oldest of them was written',
  })
  oldestPendingAt!: Date | null;
}

export class RegionView extends OmitType(Region, ['createdBy', 'updatedBy']) {
  @ApiProperty({ type: RegionNodeView, nullable: true, description: 'null: not known here now.' })
  node!: RegionNodeView | null;
}

export class RegionPage {
  @ApiProperty({ type: [RegionView] })
  items!: RegionView[];

  @ApiProperty({ type: String, nullable: true, description: 'For the next page; null on the last.' })
  nextCursor!: string | null;

  @ApiPropertyOptional({ type: 'integer', description: 'Only when asked for with `total=true`.' })
  total?: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When central told of the nodes; null while it cannot be asked, and then every `node` is.',
  })
  nodesKnownAt!: Date | null;
}

export function viewOf(region: Region, node: RegionNodeView | null): RegionView {
  const { createdBy: _, updatedBy: __, ...view } = region;
  return { ...view, node };
}
