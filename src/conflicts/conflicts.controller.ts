import { Body, Controller, Get, Headers, HttpCode, Param, ParseUUIDPipe, Post } from '@nestjs/common';
import { Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiNotFoundResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Allow } from '../accounts/allow.decorator.js';
import { CurrentChange, CurrentPrincipal, type Principal } from '../accounts/principal.js';
import { Config } from '../config/config.js';
import type { Answer } from '../http/idempotency.js';
import { linkHeader } from '../http/page.js';
import { etagOf } from '../http/preconditions.js';
import type { ChangeContext } from '../routing/change-context.js';
import { ConflictDto, ConflictPage } from './conflict.dto.js';
import { ConflictQuery } from './conflict-query.dto.js';
import { ApiDecision, CONFLICT_HEADERS, PAGE_HEADERS } from './conflicts.openapi.js';
import { ConflictsReader } from './conflicts.reader.js';
import { ConflictDecisions, type DecisionRequest } from './decisions/conflict-decisions.js';
import { ReopeningDto, RESOLUTION_EXAMPLES, ResolutionDto } from './decisions/decision.dto.js';

type ChangeHeaders = Readonly<Record<string, string | undefined>>;

@ApiTags('Conflicts')
@Controller('conflicts')
export class ConflictsController {
  constructor(
    private readonly reader: ConflictsReader,
    private readonly decisions: ConflictDecisions,
    private readonly config: Config,
  ) {}

  @Get()
  @Allow('conflicts:read')
  @ApiOperation({
    summary: 'What people changed without knowing of each other',
    description:
      'Of the patients that the caller may know of; administrators and auditors of a region also see what its changes ' +
      'met. Fields that the role may not see are absent.',
  })
  @ApiOkResponse({ type: ConflictPage, headers: PAGE_HEADERS })
  async list(
    @CurrentPrincipal() caller: Principal,
    @Query() query: ConflictQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ConflictPage> {
    const page = await this.reader.list(caller, query);
    const link = linkHeader(request, page.nextCursor);
    if (link) reply.header('link', link);
    return page;
  }

  @Get(':id')
  @Allow('conflicts:read')
  @ApiOperation({ summary: 'A conflict: base, regional and central value of each field' })
  @ApiOkResponse({ type: ConflictDto, headers: CONFLICT_HEADERS })
  @ApiNotFoundResponse({ description: 'No such conflict, or one of another region' })
  async get(
    @Param('id', ParseUUIDPipe) id: string,
    @CurrentPrincipal() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ConflictDto> {
    const conflict = await this.reader.get(caller, id);
    reply.header('etag', etagOf(conflict.version, conflict));
    return conflict;
  }

  @Post(':id/resolve')
  @HttpCode(200)
  @Allow('conflicts:read', 'oversight:manage')
  @ApiOperation({
    summary: 'Decide a conflict',
    description:
      'Every disputed field at once, with a reason. A change like any other: it reaches every copy, and who set a ' +
      'value that was not kept is told. Never waits for central.',
  })
  @ApiBody({ type: ResolutionDto, examples: RESOLUTION_EXAMPLES })
  @ApiDecision('It is decided already, or another record has the value')
  resolve(
    @Param('id', ParseUUIDPipe) id: string,
    @Body() body: ResolutionDto,
    @CurrentPrincipal() caller: Principal,
    @CurrentChange() context: ChangeContext,
    @Headers() headers: ChangeHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ConflictDto> {
    return answer(this.decisions.resolve(id, body, this.request(caller, context, headers)), reply);
  }

  @Post(':id/reopen')
  @HttpCode(200)
  @Allow('conflicts:read', 'oversight:manage')
  @ApiOperation({
    summary: 'Open a conflict again',
    description: 'Also one that a policy decided. The values stay as they are until it is decided.',
  })
  @ApiDecision('It is open')
  reopen(
    @Param('id', ParseUUIDPipe) id: string,
    @Body() body: ReopeningDto,
    @CurrentPrincipal() caller: Principal,
    @CurrentChange() context: ChangeContext,
    @Headers() headers: ChangeHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ConflictDto> {
    return answer(this.decisions.reopen(id, body, this.request(caller, context, headers)), reply);
  }

  private request(caller: Principal, context: ChangeContext, headers: ChangeHeaders): DecisionRequest {
    const { 'if-match': ifMatch, prefer, 'idempotency-key': key } = headers;
    const preconditions = { method: 'POST', ifMatch, prefer, requireAll: this.config.requireIfMatch };
    return { caller, context, preconditions, key };
  }
}

async function answer(decided: Promise<Answer<ConflictDto>>, reply: FastifyReply): Promise<ConflictDto> {
  const { status, headers, body } = await decided;
  reply.status(status).headers(headers);
  return body;
}
