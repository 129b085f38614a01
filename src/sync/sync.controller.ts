import { Controller, Get, HttpCode, Inject, Optional, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../accounts/allow.decorator.js';
import { CurrentPrincipal, type Principal } from '../accounts/principal.js';
import { Problem } from '../http/problem.js';
import { PeerRecord } from '../relay/peer-record.js';
import { Uplink } from '../relay/uplink.js';
import { SyncStatusDto } from './sync-status.dto.js';
import { SyncStatusReader } from './sync-status.reader.js';

@ApiTags('Synchronisation')
@Controller('sync')
export class SyncController {
  constructor(
    private readonly status: SyncStatusReader,
    @Optional() @Inject(PeerRecord) private readonly peer: PeerRecord | undefined,
    @Optional() @Inject(Uplink) private readonly uplink: Uplink | undefined,
  ) {}

  @Get('status')
  @Allow('sync:read')
  @ApiOperation({
    summary: 'The state of synchronisation',
    description: 'Answers at once, whatever the state of central.',
  })
  @ApiOkResponse({ type: SyncStatusDto })
  read(): Promise<SyncStatusDto> {
    return this.status.read();
  }

  @Post('pause')
  @HttpCode(200)
  @Allow('sync:manage')
  @ApiOperation({
    summary: 'Stop exchanging with central',
    description: 'Work goes on; changes wait. Survives a restart.',
  })
  @ApiOkResponse({ type: SyncStatusDto })
  pause(@CurrentPrincipal() principal: Principal): Promise<SyncStatusDto> {
    return this.setPaused(principal.email);
  }

  @Post('resume')
  @HttpCode(200)
  @Allow('sync:manage')
  @ApiOperation({ summary: 'Exchange with central again' })
  @ApiOkResponse({ type: SyncStatusDto })
  resume(): Promise<SyncStatusDto> {
    return this.setPaused(null);
  }

  private async setPaused(by: string | null): Promise<SyncStatusDto> {
    if (!this.peer || !this.uplink) {
      throw new Problem(409, 'no-uplink', 'Central itself has nothing to pause', {
        detail: 'Pause and resume are answered by regional and standalone nodes.',
      });
    }
    await this.peer.setPaused(by);
    this.uplink.wake();
    return this.status.read();
  }
}
