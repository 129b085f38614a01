import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags, ApiUnprocessableEntityResponse } from '@nestjs/swagger';
import { Allow } from '../../accounts/allow.decorator.js';
import { CurrentPrincipal, type Principal } from '../../accounts/principal.js';
import { PolicyPreviewDto, PreviewDto } from './preview.dto.js';
import { PolicyPreview } from './policy-preview.js';

@ApiTags('Conflicts')
@Controller('conflicts/policies')
export class PoliciesController {
  constructor(private readonly policies: PolicyPreview) {}

  @Post('preview')
  @HttpCode(200)
  @Allow('conflicts:read', 'oversight:manage')
  @ApiOperation({
    summary: 'What past conflicts would have become under other policies',
    description: 'Changes nothing. A field’s policy is set in the code, beside the field.',
  })
  @ApiOkResponse({ type: PolicyPreviewDto })
  @ApiUnprocessableEntityResponse({ description: 'A policy is none, or splits what moves as one' })
  preview(@Body() body: PreviewDto, @CurrentPrincipal() caller: Principal): Promise<PolicyPreviewDto> {
    return this.policies.preview(caller, body);
  }
}
