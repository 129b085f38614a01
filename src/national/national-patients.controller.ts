import { Body, Controller, Get, Headers, Param, ParseUUIDPipe, Patch, Query, Req, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiConflictResponse,
  ApiConsumes,
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Allow } from '../accounts/allow.decorator.js';
import { CurrentChange, CurrentPrincipal, type Principal } from '../accounts/principal.js';
import { Config } from '../config/config.js';
import { linkHeader } from '../http/page.js';
import { etagOf } from '../http/preconditions.js';
import { PatientSync } from '../journal/patient-sync.js';
import { ChangedFields, PATCH_EXAMPLE, PatientPage, PatientView } from '../patients/patient.dto.js';
import type { Patient } from '../patients/patient.entity.js';
import {
  ApiOnePatient,
  ApiPatientChange,
  PAGE_HEADERS,
  PATIENT_HEADERS,
} from '../patients/patients.openapi.js';
import { ReasonQuery } from '../patients/reason-query.dto.js';
import { PatientQuery } from '../patients/search/patient-query.dto.js';
import type { ChangeContext } from '../routing/change-context.js';
import { nationallyVisibleTo } from './foreign-patients.js';
import { NationalPatientsReader } from './national-patients.reader.js';
import { NationalPatientsWriter } from './national-patients.writer.js';

const FOREIGN =
  'Callers with a region see of other regions’ patients what recognises the person: id, medical id, region, ' +
  'names, birth, sex and death. Each such look is logged.';
const AWAY = { description: 'Central cannot be reached; `Retry-After` says when to ask again' };

@ApiTags('National')
@Controller('national/patients')
export class NationalPatientsController {
  constructor(
    private readonly reader: NationalPatientsReader,
    private readonly writer: NationalPatientsWriter,
    private readonly sync: PatientSync,
    private readonly config: Config,
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
    return this.answer(patient, caller, reply);
  }

  @Patch(':id')
  @Allow('national:write')
  @ApiOperation({
    summary: 'Change a patient at central',
    description:
      'JSON merge patch (RFC 7396), with the rules of `PATCH /patients/{id}`. The change goes down to every region ' +
      'that has the file. What a region has changed meanwhile is merged with it.',
  })
  @ApiConsumes('application/json', 'application/merge-patch+json')
  @ApiBody({ type: ChangedFields, examples: { move: { summary: 'A new address', value: PATCH_EXAMPLE } } })
  @ApiOkResponse({ type: PatientView, headers: PATIENT_HEADERS })
  @ApiConflictResponse({ description: 'Another patient has the medical id' })
  @ApiPatientChange()
  @ApiServiceUnavailableResponse(AWAY)
  async patch(
    @Param('id', ParseUUIDPipe) id: string,
    @Body() patch: object,
    @Query() { reason }: ReasonQuery,
    @CurrentPrincipal() caller: Principal,
    @CurrentChange() change: ChangeContext,
    @Headers() { 'if-match': ifMatch, prefer }: Readonly<Record<string, string | undefined>>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Partial<PatientView>> {
    const by = { caller, context: { ...change, reason } };
    const preconditions = { method: 'PATCH', ifMatch, prefer, requireAll: this.config.requireIfMatch };
    return this.answer(await this.writer.patch(id, patch, by, preconditions), caller, reply);
  }

  private async answer(
    patient: Patient,
    caller: Principal,
    reply: FastifyReply,
  ): Promise<Partial<PatientView>> {
    const seen = nationallyVisibleTo(caller, patient);
    reply.headers({
      etag: etagOf(patient.version, seen),
      'x-sync-state': await this.sync.state(patient.id),
    });
    return seen;
  }
}
