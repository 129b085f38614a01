import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { MALFORMED } from '../http/check.js';
import { PageQuery } from '../http/page.js';
import { ALERTS, type AlertCode, type Severity } from './alert-codes.js';

class WordsDto {
  @ApiProperty()
  fr!: string;

  @ApiProperty()
  en!: string;
}

export class AlertDto {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ enum: Object.keys(ALERTS) })
  code!: AlertCode;

  @ApiProperty({ enum: ['warning', 'critical'] })
  severity!: Severity;

  @ApiProperty({ type: WordsDto })
  meaning!: WordsDto;

  @ApiProperty({ type: WordsDto })
  remedy!: WordsDto;

  @ApiProperty({ example: 'DKR 23514', description: 'What it is about' })
  subject!: string;

  @ApiProperty({ example: 3, description: 'How often it happened before it was acknowledged' })
  count!: number;

  @ApiProperty({ format: 'date-time' })
  firstAt!: Date;

  @ApiProperty({ format: 'date-time' })
  lastAt!: Date;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  acknowledgedAt!: Date | null;

  @ApiProperty({ type: String, nullable: true })
  acknowledgedBy!: string | null;
}

export class AlertPage {
  @ApiProperty({ type: [AlertDto] })
  items!: AlertDto[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;
}

export class AlertQuery extends PageQuery {
  @ApiPropertyOptional({ enum: ['open', 'acknowledged'], description: 'All when absent' })
  @IsOptional()
  @IsIn(['open', 'acknowledged'], { context: MALFORMED })
  state?: 'open' | 'acknowledged';
}
