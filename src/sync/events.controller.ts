import { Controller, type MessageEvent, Sse } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiProduces, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { Allow } from '../accounts/allow.decorator.js';
import { CurrentPrincipal, type SignedIn } from '../accounts/principal.js';
import { StatusEvents } from './status-events.js';
import { SyncStatusDto } from './sync-status.dto.js';

@ApiTags('Synchronisation')
@Controller('sync/events')
export class EventsController {
  constructor(private readonly events: StatusEvents) {}

  @Sse()
  @Allow('sync:read')
  @ApiOperation({
    summary: 'Follow the state of synchronisation',
    description:
      'Server-sent events named `status`, with what `GET /sync/status` answers: at once, when it changes, and every ' +
      '15 s at least. A stream that is silent for longer is stale. It ends with the session, when the rights of the ' +
      'account change, and when the node stops. The access token goes into the `Authorization` header.',
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'Not needed: each event is the whole status.',
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ content: { 'text/event-stream': { schema: { $ref: getSchemaPath(SyncStatusDto) } } } })
  follow(@CurrentPrincipal() follower: SignedIn): Observable<MessageEvent> {
    return this.events.follow(follower);
  }
}
