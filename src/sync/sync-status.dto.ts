import { ApiProperty } from '@nestjs/swagger';
import type { LinkStatus } from '../relay/uplink-state.js';

class WordsDto {
  @ApiProperty()
  fr!: string;

  @ApiProperty()
  en!: string;
}

export class LinkErrorDto {
  @ApiProperty({
    example: 'ECONNREFUSED',
    description: 'SQLSTATE, network error code, or the name of an error of MedLink',
  })
  code!: string;

  @ApiProperty({ example: 'connect ECONNREFUSED 127.0.0.1:5432' })
  message!: string;

  @ApiProperty({ format: 'date-time' })
  at!: Date;

  @ApiProperty({ type: WordsDto, nullable: true, description: 'What it means; null for codes of others' })
  meaning!: WordsDto | null;

  @ApiProperty({ type: WordsDto, nullable: true, description: 'What to do' })
  remedy!: WordsDto | null;
}

export class LinkDto {
  @ApiProperty({ enum: ['connecting', 'up', 'down', 'paused'] })
  state!: LinkStatus | 'paused';

  @ApiProperty({ format: 'date-time', description: 'Since when the link is in this state' })
  since!: Date;

  @ApiProperty({ type: LinkErrorDto, nullable: true, description: 'The last error, kept after recovery' })
  lastError!: LinkErrorDto | null;

  @ApiProperty({ type: String, nullable: true, description: 'Who paused the exchange' })
  pausedBy!: string | null;
}

export class DirectionDto {
  @ApiProperty({
    type: Number,
    example: 2,
    nullable: true,
    description:
      'Journal entries that the receiving side does not have yet; null when nobody here knows (downlink, central away)',
  })
  pending!: number | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  oldestPendingAt!: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the receiving side last applied something',
  })
  lastAppliedAt!: Date | null;

  @ApiProperty({
    type: Number,
    example: 40,
    nullable: true,
    description:
      'Age of the oldest pending entry, in milliseconds; 0 when nothing is pending, null when not known',
  })
  lagMs!: number | null;

  @ApiProperty({ example: 12.5, description: 'Entries a second, over the last ten seconds' })
  rate!: number;

  @ApiProperty({
    type: Number,
    example: 4,
    nullable: true,
    description: 'Seconds until nothing is pending, at that rate; null when entries wait and none is moving',
  })
  drainSeconds!: number | null;
}

export class RetentionDto {
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Whole months that are kept beside the running one; null: all',
  })
  months!: number | null;

  @ApiProperty({ example: 0, description: 'Journal entries that were removed so far' })
  removed!: number;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When some were, last' })
  removedAt!: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'The journal is complete from here on; null: from the beginning',
  })
  since!: Date | null;

  @ApiProperty({
    example: false,
    description: 'Entries that are old enough stay, because the other side does not have them yet',
  })
  heldBack!: boolean;
}

/** The state of synchronisation of this node. */
export class SyncStatusDto {
  @ApiProperty({ enum: ['standalone', 'regional', 'central'] })
  node!: string;

  @ApiProperty({ example: 'DKR', type: String, nullable: true })
  region!: string | null;

  @ApiProperty({ type: LinkDto, nullable: true, description: 'The way to central; null on central itself' })
  link!: LinkDto | null;

  @ApiProperty({
    type: DirectionDto,
    nullable: true,
    description: 'From this node to central; null on central itself',
  })
  uplink!: DirectionDto | null;

  @ApiProperty({
    type: DirectionDto,
    nullable: true,
    description: 'From central to this node; null where nothing comes down',
  })
  downlink!: DirectionDto | null;

  @ApiProperty({
    example: 0,
    description: 'Changes that central could not accept and that wait for a person',
  })
  quarantined!: number;

  @ApiProperty({
    example: 0,
    description:
      'Changes of a newer version, and what is behind them: applied by themselves after the upgrade',
  })
  heldForUpgrade!: number;

  @ApiProperty({ example: 0, description: 'Conflicts that wait for a decision' })
  openConflicts!: number;

  @ApiProperty({
    example: 0,
    description: 'Changes that were made outside the application (psql, scripts), since the beginning',
  })
  madeOutside!: number;

  @ApiProperty({ type: RetentionDto, description: 'What of this node’s journal was removed for its age' })
  retention!: RetentionDto;
}

export class PatientSyncDto {
  @ApiProperty({ enum: ['synced', 'pending', 'disputed', 'quarantined'] })
  state!: string;

  @ApiProperty({ example: 0, description: 'Changes of this patient that central does not have yet' })
  pendingChanges!: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the newest change that central has was made',
  })
  lastSyncedAt!: Date | null;

  @ApiProperty({ type: [String], example: ['DKR'], description: 'Regions that hold a copy of the patient' })
  hosts!: string[];

  @ApiProperty({ type: [String], description: 'Ids of the open conflicts of this patient' })
  conflicts!: string[];
}
