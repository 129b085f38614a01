import {
  Body,
  Controller,
  Get,
  Headers,
  Param,
  ParseUUIDPipe,
  Patch,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiHeader,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiPreconditionFailedResponse,
  ApiTags,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Config } from '../../config/config.js';
import { linkHeader, PageQuery } from '../../http/page.js';
import { etagOf } from '../../http/preconditions.js';
import type { ChangeContext } from '../../routing/change-context.js';
import { Allow } from '../allow.decorator.js';
import { CurrentChange, CurrentPrincipal, type Principal } from '../principal.js';
import { CreateUser, UpdateUser, UserPage, UserView, viewOf } from './user.dto.js';
import { UsersReader } from './users.reader.js';
import { UsersWriter } from './users.writer.js';

const ROUTE = 'POST /api/v1/users';

@ApiTags('Accounts')
@Controller('users')
export class UsersController {
  constructor(
    private readonly reader: UsersReader,
    private readonly writer: UsersWriter,
    private readonly config: Config,
  ) {}

  @Get()
  @Allow('users:read')
  @ApiOperation({
    summary: 'Accounts',
    description: 'Oldest first. A regional caller sees those of their region.',
  })
  @ApiOkResponse({ type: UserPage })
  async list(
    @CurrentPrincipal() caller: Principal,
    @Query() query: PageQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserPage> {
    const page = await this.reader.list(caller, query);
    const link = linkHeader(request, page.nextCursor);
    if (link) reply.header('link', link);
    return { ...page, items: page.items.map(viewOf) };
  }

  @Post()
  @Allow('users:write')
  @ApiOperation({ summary: 'Create an account' })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'A retry with the same key creates nothing.',
  })
  @ApiCreatedResponse({ type: UserView })
  @ApiConflictResponse({ description: 'The e-mail address belongs to another account' })
  @ApiUnprocessableEntityResponse({
    description: 'A value cannot be accepted, such as a password easy to guess',
  })
  async create(
    @Body() draft: CreateUser,
    @CurrentPrincipal() caller: Principal,
    @CurrentChange() context: ChangeContext,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserView> {
    const answer = await this.writer.create(draft, { caller, context }, { key, route: ROUTE });
    reply.status(answer.status).headers(answer.headers);
    return answer.body;
  }

  @Get(':id')
  @Allow('users:read')
  @ApiOperation({ summary: 'An account' })
  @ApiOkResponse({ type: UserView, headers: { ETag: { schema: { type: 'string' } } } })
  @ApiNotFoundResponse({ description: 'No such account, or one of another region' })
  async get(
    @Param('id', ParseUUIDPipe) id: string,
    @CurrentPrincipal() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserView> {
    const user = await this.reader.get(caller, id);
    reply.header('etag', etagOf(user.version));
    return viewOf(user);
  }

  @Patch(':id')
  @Allow('users:write')
  @ApiOperation({
    summary: 'Change an account',
    description: 'JSON merge patch. Takes effect on the next request.',
  })
  @ApiHeader({ name: 'If-Match', required: false, description: 'The ETag that the change was made on.' })
  @ApiOkResponse({ type: UserView, headers: { ETag: { schema: { type: 'string' } } } })
  @ApiNotFoundResponse({ description: 'No such account, or one of another region' })
  @ApiConflictResponse({ description: 'Own role, region or disabling' })
  @ApiPreconditionFailedResponse({ description: 'The account has changed since it was read' })
  async update(
    @Param('id', ParseUUIDPipe) id: string,
    @Body() change: UpdateUser,
    @CurrentPrincipal() caller: Principal,
    @CurrentChange() context: ChangeContext,
    @Headers('if-match') ifMatch: string | undefined,
    @Headers('prefer') prefer: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserView> {
    const preconditions = { method: 'PATCH', ifMatch, prefer, requireAll: this.config.requireIfMatch };
    const user = await this.writer.update(id, change, { caller, context }, preconditions);
    reply.header('etag', etagOf(user.version));
    return viewOf(user);
  }
}
