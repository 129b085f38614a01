import { Controller, Get, Param, ParseUUIDPipe, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Allow } from '../accounts/allow.decorator.js';
import { CurrentPrincipal, type Principal } from '../accounts/principal.js';
import { linkHeader } from '../http/page.js';
import { etagOf } from '../http/preconditions.js';
import { PatientSync } from '../journal/patient-sync.js';
import { PatientPage, PatientView } from '../patients/patient.dto.js';
import { ApiOnePatient, PAGE_HEADERS, PATIENT_HEADERS } from '../patients/patients.openapi.js';
import { PatientQuery } from '../patients/search/patient-query.dto.js';
import { nationallyVisibleTo } from './foreign-patients.js';
import { NationalPatientsReader } from './national-patients.reader.js';

const FOREIGN =
  'Callers with a region see of other regions’ patients what recognises the person: id, medical id, region, ' +
  'names, birth, sex and death. Each such look is logged.';
const AWAY = { description: 'Central cannot be reached; `Retry-After` says when to ask again' };

@ApiTags('National')
@Controller('national/patients')
export class NationalPatientsController {
  constructor(
    private readonly reader: NationalPatientsReader,
    private readonly sync: PatientSync,
  ) {}

  @Get()
  @Allow('national:read')
  @ApiOperation({
    summary: 'Find patients of all regions',
    description: `On the central database, as far as it knows. ${FOREIGN} They are not found by other fields.`,
  })
  @ApiOkResponse({ type: PatientPage, headers: PAGE_HEADERS })
  @ApiServiceUnavailableResponse(AWAY)
  async list(
    @CurrentPrincipal() caller: Principal,
    @Query() query: PatientQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PatientPage> {
    const page = await this.reader.list(caller, query);
    const link = linkHeader(request, page.nextCursor);
    if (link) reply.header('link', link);
    return { ...page, items: page.items.map((patient) => nationallyVisibleTo(caller, patient)) };
  }

  @Get(':id')
  @Allow('national:read')
  @ApiOperation({ summary: 'A patient of any region', description: FOREIGN })
  @ApiOkResponse({ type: PatientView, headers: PATIENT_HEADERS })
  @ApiOnePatient()
  @ApiServiceUnavailableResponse(AWAY)
  async get(
    @Param('id', ParseUUIDPipe) id: string,
    @CurrentPrincipal() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Partial<PatientView>> {
    const patient = await this.reader.get(caller, id);
    reply.headers({ etag: etagOf(patient.version), 'x-sync-state': await this.sync.state(id) });
    return nationallyVisibleTo(caller, patient);
  }
}
