import { Controller, Get, HttpCode, Param, ParseUUIDPipe, Post, Query, Req, Res } from '@nestjs/common';
import { ApiNotFoundResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Allow } from '../../accounts/allow.decorator.js';
import { CurrentPrincipal, type Principal } from '../../accounts/principal.js';
import { linkHeader, PageQuery } from '../../http/page.js';
import { PAGE_HEADERS } from '../conflicts.openapi.js';
import { NotificationDto, NotificationPage } from './notification.dto.js';
import { Notifications } from './notifications.js';

@ApiTags('Conflicts')
@Controller('notifications')
export class NotificationsController {
  constructor(private readonly notifications: Notifications) {}

  @Get()
  @Allow()
  @ApiOperation({
    summary: 'What became of values that I had set',
    description: 'The caller’s own: conflicts in which another value was kept. The newest first.',
  })
  @ApiOkResponse({ type: NotificationPage, headers: PAGE_HEADERS })
  async list(
    @CurrentPrincipal() caller: Principal,
    @Query() query: PageQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NotificationPage> {
    const page = await this.notifications.list(caller, query);
    const link = linkHeader(request, page.nextCursor);
    if (link) reply.header('link', link);
    return page;
  }

  @Post(':id/read')
  @HttpCode(200)
  @Allow()
  @ApiOperation({ summary: 'Say that I have read it', description: 'A later decision makes it new again.' })
  @ApiOkResponse({ type: NotificationDto })
  @ApiNotFoundResponse({ description: 'No such notification, or another person’s' })
  read(
    @Param('id', ParseUUIDPipe) id: string,
    @CurrentPrincipal() caller: Principal,
  ): Promise<NotificationDto> {
    return this.notifications.read(caller, id);
  }
}
