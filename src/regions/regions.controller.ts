import { Body, Controller, Get, Headers, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { Query, Req, Res } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiHeader,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiPreconditionFailedResponse,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Allow } from '../accounts/allow.decorator.js';
import { CurrentChange } from '../accounts/principal.js';
import { Config } from '../config/config.js';
import { linkHeader, PageQuery } from '../http/page.js';
import { etagOf } from '../http/preconditions.js';
import type { ChangeContext } from '../routing/change-context.js';
import { NewRegion, RegionChange, RegionPage, RegionView, ReleaseRegion, viewOf } from './region.dto.js';
import { RegionsReader } from './regions.reader.js';
import { RegionsWriter } from './regions.writer.js';

const AWAY = { description: 'Central cannot be reached; `Retry-After` says when to ask again' };
const ETAG = { ETag: { schema: { type: 'string' as const } } };
const KEY = { name: 'id', description: 'Id or code of the region', example: 'THS' };
const ONCE = {
  name: 'Idempotency-Key',
  required: false,
  description: 'A retry with the same key does nothing again.',
};

@ApiTags('Regions')
@Controller('regions')
export class RegionsController {
  constructor(
    private readonly reader: RegionsReader,
    private readonly writer: RegionsWriter,
    private readonly config: Config,
  ) {}

  @Get()
  @Allow('sync:read')
  @ApiOperation({
    summary: 'The regions, and the state of their nodes',
    description:
      'By code, as this node knows them. Central tells of the nodes: while it cannot be asked, `node` is null.',
  })
  @ApiOkResponse({ type: RegionPage })
  async list(
    @Query() query: PageQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RegionPage> {
    const page = await this.reader.list(query);
    const link = linkHeader(request, page.nextCursor);
    if (link) reply.header('link', link);
    return page;
  }

  @Get(':id')
  @Allow('sync:read')
  @ApiOperation({ summary: 'A region, and the state of its node' })
  @ApiParam(KEY)
  @ApiOkResponse({ type: RegionView, headers: ETAG })
  @ApiNotFoundResponse({ description: 'No such region, or not known here yet' })
  async get(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<RegionView> {
    const region = await this.reader.get(id);
    reply.header('etag', etagOf(region.version));
    return region;
  }

  @Post()
  @Allow('regions:write')
  @ApiOperation({
    summary: 'Add a region',
    description:
      'At central, from where every node hears of it. A node that comes with a new code adds it too.',
  })
  @ApiHeader(ONCE)
  @ApiCreatedResponse({ type: RegionView, headers: ETAG })
  @ApiConflictResponse({ description: 'There is a region with this code already' })
  @ApiServiceUnavailableResponse(AWAY)
  async create(
    @Body() draft: NewRegion,
    @CurrentChange() context: ChangeContext,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RegionView> {
    const answer = await this.writer.create(draft, context, key);
    reply.status(answer.status).headers(answer.headers);
    return answer.body;
  }

  @Patch(':id')
  @ApiParam(KEY)
  @Allow('regions:write')
  @ApiOperation({
    summary: 'Rename a region, or stop its exchange with central',
    description:
      'JSON merge patch, at central. The node of a region that is not enabled works on alone, and sends what ' +
      'has waited when the region is enabled again.',
  })
  @ApiHeader({ name: 'If-Match', required: false, description: 'The ETag that the change was made on.' })
  @ApiOkResponse({ type: RegionView, headers: ETAG })
  @ApiNotFoundResponse({ description: 'No such region' })
  @ApiPreconditionFailedResponse({ description: 'The region has changed since it was read' })
  @ApiServiceUnavailableResponse(AWAY)
  async update(
    @Param('id') id: string,
    @Body() change: RegionChange,
    @CurrentChange() context: ChangeContext,
    @Headers('if-match') ifMatch: string | undefined,
    @Headers('prefer') prefer: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RegionView> {
    const preconditions = { method: 'PATCH', ifMatch, prefer, requireAll: this.config.requireIfMatch };
    const region = await this.writer.update(id, change, context, preconditions);
    reply.header('etag', etagOf(region.version));
    return viewOf(region, null);
  }

  @Post(':id/release')
  @ApiParam(KEY)
  @HttpCode(200)
  @Allow('regions:write')
  @ApiOperation({
    summary: 'Let another node take the region’s code',
    description:
      'When the node and its database are lost. Stop the old node first: whichever comes to central next has ' +
      'the code. A database that is restored from a backup needs no release.',
  })
  @ApiHeader(ONCE)
  @ApiOkResponse({ type: RegionView, headers: ETAG })
  @ApiNotFoundResponse({ description: 'No such region' })
  @ApiConflictResponse({ description: 'No node has the code' })
  @ApiServiceUnavailableResponse(AWAY)
  async release(
    @Param('id') id: string,
    @Body() { reason }: ReleaseRegion,
    @CurrentChange() context: ChangeContext,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RegionView> {
    const answer = await this.writer.release(id, { ...context, reason }, key);
    reply.headers(answer.headers);
    return answer.body;
  }
}
