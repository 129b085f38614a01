import { Controller, Get, Param, ParseUUIDPipe, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Allow } from '../../accounts/allow.decorator.js';
import { CurrentPrincipal, type Principal } from '../../accounts/principal.js';
import { linkHeader, PageQuery } from '../../http/page.js';
import { PatientSync } from '../../journal/patient-sync.js';
import { ApiOnePatient, PAGE_HEADERS, PATIENT_HEADERS } from '../patients.openapi.js';
import { HistoryPage } from './history.dto.js';
import { PatientHistory } from './patient-history.js';

@ApiTags('Patients')
@Controller('patients/:id/history')
export class HistoryController {
  constructor(
    private readonly history: PatientHistory,
    private readonly sync: PatientSync,
  ) {}

  @Get()
  @Allow('patients:read')
  @ApiOperation({
    summary: 'What happened to a patient',
    description:
      'Who changed what, when, where, from which value to which; oldest first. Those who may delete patients ' +
      'also read the history of a deleted one.',
  })
  @ApiOkResponse({
    type: HistoryPage,
    headers: { ...PAGE_HEADERS, 'X-Sync-State': PATIENT_HEADERS['X-Sync-State'] },
  })
  @ApiOnePatient()
  async read(
    @Param('id', ParseUUIDPipe) id: string,
    @Query() query: PageQuery,
    @CurrentPrincipal() caller: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<HistoryPage> {
    const page = await this.history.read(caller, id, query);
    const link = linkHeader(request, page.nextCursor);
    if (link) reply.header('link', link);
    reply.header('x-sync-state', await this.sync.state(id));
    return page;
  }
}
