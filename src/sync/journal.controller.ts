import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Allow } from '../accounts/allow.decorator.js';
import { CurrentPrincipal, type Principal } from '../accounts/principal.js';
import { linkHeader } from '../http/page.js';
import { JournalPage } from './journal.dto.js';
import { JournalQuery } from './journal-query.dto.js';
import { NodeJournal } from './journal.reader.js';

@ApiTags('Synchronisation')
@Controller('sync/journal')
export class JournalController {
  constructor(private readonly journal: NodeJournal) {}

  @Get()
  @Allow('journal:read')
  @ApiOperation({
    summary: 'The journal of this node',
    description:
      'Who changed what, when, where and why; in the order of this node’s journal. Callers with a region see what ' +
      'concerns the patients that they may know of, and what belongs to everyone. An auditor sees which fields ' +
      'changed, and no patient’s values.',
  })
  @ApiOkResponse({ type: JournalPage, headers: { Link: { schema: { type: 'string' } } } })
  async read(
    @CurrentPrincipal() caller: Principal,
    @Query() query: JournalQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JournalPage> {
    const page = await this.journal.read(caller, query);
    const link = linkHeader(request, page.nextCursor);
    if (link) reply.header('link', link);
    return page;
  }
}
