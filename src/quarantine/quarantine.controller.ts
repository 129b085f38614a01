import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { Allow } from '../accounts/allow.decorator.js';
import { CurrentPrincipal, type Principal } from '../accounts/principal.js';
import { Problem } from '../http/problem.js';
import { QuarantineDecisions } from './quarantine.decisions.js';
import { DecisionDto, DecisionOutcomeDto, QuarantinePage, QuarantineQuery } from './quarantine.dto.js';
import { QuarantineReader } from './quarantine.reader.js';

@ApiTags('Quarantine')
@Controller('sync/quarantine')
export class QuarantineController {
  constructor(
    private readonly reader: QuarantineReader,
    private readonly decisions: QuarantineDecisions,
  ) {}

  @Get()
  @Allow('oversight:read')
  @ApiOperation({
    summary: 'What central could not apply',
    description: 'Oldest first. 503 while central cannot be reached.',
  })
  @ApiOkResponse({ type: QuarantinePage })
  list(@CurrentPrincipal() caller: Principal, @Query() query: QuarantineQuery): Promise<QuarantinePage> {
    return this.reader.list(caller, query);
  }

  @Post(':id/retry')
  @HttpCode(200)
  @Allow('oversight:manage')
  @ApiOperation({ summary: 'Apply it again, and then what waits behind it, in order' })
  @ApiOkResponse({ type: DecisionOutcomeDto })
  @ApiNotFoundResponse({ description: 'No such change, or one of another region' })
  @ApiConflictResponse({ description: 'It has been decided already' })
  retry(
    @Param('id') id: string,
    @Body() { reason }: DecisionDto,
    @CurrentPrincipal() caller: Principal,
  ): Promise<DecisionOutcomeDto> {
    return this.decisions.retry(entryId(id), caller, reason);
  }

  @Post(':id/discard')
  @HttpCode(200)
  @Allow('oversight:manage')
  @ApiOperation({
    summary: 'Drop it, with a reason that is kept',
    description:
      'Central’s values stay. What creates a record cannot be dropped, only corrected and retried.',
  })
  @ApiOkResponse({ type: DecisionOutcomeDto })
  @ApiNotFoundResponse({ description: 'No such change, or one of another region' })
  @ApiConflictResponse({ description: 'It has been decided already, is not the first, or creates a record' })
  discard(
    @Param('id') id: string,
    @Body() { reason }: DecisionDto,
    @CurrentPrincipal() caller: Principal,
  ): Promise<DecisionOutcomeDto> {
    return this.decisions.discard(entryId(id), caller, reason);
  }
}

function entryId(text: string): string {
  if (/^[1-9]\d{0,17}$/.test(text)) return text;
  throw new Problem(400, 'malformed-input', 'The request cannot be understood', {
    errors: [{ path: 'id', message: 'is not the id of a quarantined change' }],
  });
}
