import { Controller, Get, HttpCode, Param, ParseUUIDPipe, Post, Query } from '@nestjs/common';
import { ApiNotFoundResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../accounts/allow.decorator.js';
import { CurrentPrincipal, type Principal } from '../accounts/principal.js';
import { AlertDto, AlertPage, AlertQuery } from './alert.dto.js';
import { Alerts } from './alerts.service.js';

@ApiTags('Alerts')
@Controller('alerts')
export class AlertsController {
  constructor(private readonly alerts: Alerts) {}

  @Get()
  @Allow('oversight:read')
  @ApiOperation({
    summary: 'What needs a person',
    description: 'Newest first, each with its meaning and remedy.',
  })
  @ApiOkResponse({ type: AlertPage })
  list(@Query() query: AlertQuery): Promise<AlertPage> {
    return this.alerts.list(query);
  }

  @Post(':id/acknowledge')
  @HttpCode(200)
  @Allow('oversight:manage')
  @ApiOperation({
    summary: 'Say that someone looks after it',
    description: 'If it happens again, a new alert is raised.',
  })
  @ApiOkResponse({ type: AlertDto })
  @ApiNotFoundResponse({ description: 'No such alert' })
  acknowledge(@Param('id', ParseUUIDPipe) id: string, @CurrentPrincipal() by: Principal): Promise<AlertDto> {
    return this.alerts.acknowledge(id, by);
  }
}
