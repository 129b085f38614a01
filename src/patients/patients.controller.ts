import { Body, Controller, Delete, Get, Headers, Param, Patch, Post, Put } from '@nestjs/common';
import { HttpCode, ParseUUIDPipe, Query, Req, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiConflictResponse,
  ApiConsumes,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Allow } from '../accounts/allow.decorator.js';
import { CurrentChange, CurrentPrincipal, type Principal } from '../accounts/principal.js';
import { Config } from '../config/config.js';
import { linkHeader } from '../http/page.js';
import { PatientSync } from '../journal/patient-sync.js';
import type { ChangeContext } from '../routing/change-context.js';
import { patientEtag } from './patient-access.js';
import {
  ChangedFields,
  CREATE_EXAMPLES,
  CreatePatient,
  PATCH_EXAMPLE,
  PatientPage,
  PatientView,
} from './patient.dto.js';
import type { Patient } from './patient.entity.js';
import {
  ApiOnePatient,
  ApiPatientChange,
  CREATED_HEADERS,
  PAGE_HEADERS,
  PATIENT_HEADERS,
} from './patients.openapi.js';
import { PatientsReader } from './patients.reader.js';
import { PatientsWriter } from './patients.writer.js';
import { ShownPatients } from './shown-patients.js';
import { ReasonQuery } from './reason-query.dto.js';
import { PatientQuery } from './search/patient-query.dto.js';

type ChangeHeaders = Readonly<Record<string, string | undefined>>;

@ApiTags('Patients')
@Controller('patients')
export class PatientsController {
  constructor(
    private readonly reader: PatientsReader,
    private readonly writer: PatientsWriter,
    private readonly sync: PatientSync,
    private readonly shown: ShownPatients,
    private readonly config: Config,
  ) {}

  @Get()
  @Allow('patients:read')
  @ApiOperation({
    summary: 'Find patients',
    description: 'Those of the caller’s region; national roles see all.',
  })
  @ApiOkResponse({ type: PatientPage, headers: PAGE_HEADERS })
  async list(
    @CurrentPrincipal() caller: Principal,
    @Query() query: PatientQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PatientPage> {
    const page = await this.reader.list(caller, query);
    const link = linkHeader(request, page.nextCursor);
    if (link) reply.header('link', link);
    return { ...page, items: await this.shown.show(caller.role, page.items) };
  }

  @Post()
  @Allow('patients:write')
  @ApiOperation({
    summary: 'Register a patient',
    description: 'In the caller’s region. Never waits for central.',
  })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'A retry with the same key creates nothing.',
  })
  @ApiBody({ type: CreatePatient, examples: CREATE_EXAMPLES })
  @ApiCreatedResponse({ type: PatientView, headers: CREATED_HEADERS })
  @ApiConflictResponse({ description: 'Another patient has the medical id' })
  @ApiUnprocessableEntityResponse({ description: 'A value cannot be accepted' })
  async create(
    @Body() draft: CreatePatient,
    @CurrentPrincipal() caller: Principal,
    @CurrentChange() context: ChangeContext,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Partial<PatientView>> {
    const answer = await this.writer.create(draft, { caller, context }, key);
    reply.status(answer.status).headers(answer.headers);
    return answer.body;
  }

  @Get(':id')
  @Allow('patients:read')
  @ApiOperation({ summary: 'A patient' })
  @ApiOkResponse({ type: PatientView, headers: PATIENT_HEADERS })
  @ApiOnePatient()
  async get(
    @Param('id', ParseUUIDPipe) id: string,
    @CurrentPrincipal() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Partial<PatientView>> {
    return this.answer(await this.reader.get(caller, id), caller, reply);
  }

  @Put(':id')
  @Allow('patients:write')
  @ApiOperation({
    summary: 'Replace a patient',
    description:
      'All that the caller may set: what is absent becomes unknown. The medical id stays unless given.',
  })
  @ApiBody({ type: CreatePatient, examples: CREATE_EXAMPLES })
  @ApiOkResponse({ type: PatientView, headers: PATIENT_HEADERS })
  @ApiConflictResponse({ description: 'Another patient has the medical id' })
  @ApiPatientChange({ ifMatchRequired: true })
  async replace(
    @Param('id', ParseUUIDPipe) id: string,
    @Body() body: object,
    @Query() { reason }: ReasonQuery,
    @CurrentPrincipal() caller: Principal,
    @CurrentChange() change: ChangeContext,
    @Headers() headers: ChangeHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Partial<PatientView>> {
    const by = { caller, context: { ...change, reason } };
    return this.answer(
      await this.writer.replace(id, body, by, this.preconditions('PUT', headers)),
      caller,
      reply,
    );
  }

  @Patch(':id')
  @Allow('patients:write')
  @ApiOperation({
    summary: 'Change a patient',
    description: 'JSON merge patch (RFC 7396): `null` clears a field.',
  })
  @ApiConsumes('application/json', 'application/merge-patch+json')
  @ApiBody({ type: ChangedFields, examples: { move: { summary: 'A new address', value: PATCH_EXAMPLE } } })
  @ApiOkResponse({ type: PatientView, headers: PATIENT_HEADERS })
  @ApiConflictResponse({ description: 'Another patient has the medical id' })
  @ApiPatientChange()
  async patch(
    @Param('id', ParseUUIDPipe) id: string,
    @Body() patch: object,
    @Query() { reason }: ReasonQuery,
    @CurrentPrincipal() caller: Principal,
    @CurrentChange() change: ChangeContext,
    @Headers() headers: ChangeHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Partial<PatientView>> {
    const by = { caller, context: { ...change, reason } };
    return this.answer(
      await this.writer.patch(id, patch, by, this.preconditions('PATCH', headers)),
      caller,
      reply,
    );
  }

  @Delete(':id')
  @HttpCode(204)
  @Allow('patients:delete')
  @ApiOperation({ summary: 'Delete a patient', description: 'The history keeps what was deleted.' })
  @ApiNoContentResponse({ description: 'Deleted' })
  @ApiPatientChange()
  async remove(
    @Param('id', ParseUUIDPipe) id: string,
    @Query() { reason }: ReasonQuery,
    @CurrentPrincipal() caller: Principal,
    @CurrentChange() change: ChangeContext,
    @Headers() headers: ChangeHeaders,
  ): Promise<void> {
    const by = { caller, context: { ...change, reason } };
    await this.writer.remove(id, by, this.preconditions('DELETE', headers));
  }

  private async answer(
    patient: Patient,
    { role }: Principal,
    reply: FastifyReply,
  ): Promise<Partial<PatientView>> {
    reply.headers({ etag: patientEtag(role, patient), 'x-sync-state': await this.sync.state(patient.id) });
    const [shown] = await this.shown.show(role, [patient]);
    return shown!;
  }

  private preconditions(method: string, { 'if-match': ifMatch, prefer }: ChangeHeaders) {
    return { method, ifMatch, prefer, requireAll: this.config.requireIfMatch };
  }
}
