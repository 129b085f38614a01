import { Body, Controller, Headers, HttpCode, Param, ParseUUIDPipe, Post, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Allow } from '../accounts/allow.decorator.js';
import { CurrentChange, CurrentPrincipal, type Principal } from '../accounts/principal.js';
import { ApiOnePatient } from '../patients/patients.openapi.js';
import type { ChangeContext } from '../routing/change-context.js';
import { CopyView, RequestCopy } from './copy.dto.js';
import { PatientCopies } from './patient-copies.js';

@ApiTags('National')
@Controller('national/patients/:id/copy')
export class PatientCopiesController {
  constructor(private readonly copies: PatientCopies) {}

  @Post()
  @HttpCode(202)
  @Allow('national:copy')
  @ApiOperation({
    summary: 'Bring a copy to this region, to give care',
    description:
      'The whole file arrives by itself, with its history, and every later change of either region reaches the ' +
      'other. Who asked and why is in the patient’s history.',
  })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'A retry with the same key gets the first answer again.',
  })
  @ApiAcceptedResponse({ type: CopyView, description: 'On its way' })
  @ApiOkResponse({ type: CopyView, description: 'The region has the file already, or is about to' })
  @ApiOnePatient()
  @ApiUnprocessableEntityResponse({ description: 'No reason, or a region that gets no copies' })
  @ApiServiceUnavailableResponse({
    description: 'Central cannot be reached; `Retry-After` says when to ask again',
  })
  async request(
    @Param('id', ParseUUIDPipe) id: string,
    @Body() wanted: RequestCopy,
    @CurrentPrincipal() caller: Principal,
    @CurrentChange() context: ChangeContext,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CopyView> {
    const answer = await this.copies.request(id, wanted, { caller, context }, key);
    reply.status(answer.status).headers(answer.headers);
    return answer.body;
  }
}
