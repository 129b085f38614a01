import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { Text } from './fields/text.js';

export class ReasonQuery {
  @ApiPropertyOptional({ maxLength: 500, description: 'Why, for the history.' })
  @IsOptional()
  @Text(500)
  reason?: string;
}
