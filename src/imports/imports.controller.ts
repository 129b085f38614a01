import {
  Controller,
  Get,
  Headers,
  HttpCode,
  Param,
  ParseUUIDPipe,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiConflictResponse,
  ApiHeader,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiPayloadTooLargeResponse,
  ApiTags,
  ApiUnsupportedMediaTypeResponse,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Allow } from '../accounts/allow.decorator.js';
import { CurrentChange, CurrentPrincipal, type Principal } from '../accounts/principal.js';
import { linkHeader, PageQuery } from '../http/page.js';
import { StreamedBody } from '../http/streamed-body.decorator.js';
import type { ChangeContext } from '../routing/change-context.js';
import { ErrorsQuery, ImportDetails, ImportPage, ImportView, StartImport, viewOf } from './import.dto.js';
import { IMPORT_BODIES } from './import.examples.js';
import { ImportsReader } from './imports.reader.js';
import { ImportsWriter } from './imports.writer.js';

const START = `NDJSON of FHIR R4 resources (\`Patient\` and \`AllergyIntolerance\`, in any order) or CSV, as the body
or as files of a multipart form, compressed with gzip or not, up to 200 MiB. Answers at once; follow \`Location\`.

Every line is imported whole, or reported. The same again creates nothing twice: patients are known by the
identifiers of their source. A source changes only what it mentions, and only adds allergies and conditions.

CSV has a header with the names of a patient's fields, \`address.city\` for the parts of one; lists are
separated by \`|\`. \`sourceId\` and \`sourceSystem\` say what the patient is called where the file comes from.`;

@ApiTags('Imports')
@Controller('imports')
export class ImportsController {
  constructor(
    private readonly reader: ImportsReader,
    private readonly writer: ImportsWriter,
  ) {}

  @Post()
  @HttpCode(202)
  @Allow('imports:write')
  @StreamedBody(IMPORT_BODIES)
  @ApiOperation({ summary: 'Import patients into this region', description: START })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'A retry with the same key starts nothing.',
  })
  @ApiAcceptedResponse({ type: ImportView, headers: { Location: { schema: { type: 'string' } } } })
  @ApiConflictResponse({ description: 'This node has no region' })
  @ApiPayloadTooLargeResponse({ description: 'More than 200 MiB' })
  @ApiUnsupportedMediaTypeResponse({ description: 'Neither NDJSON nor CSV' })
  async start(
    @Req() request: FastifyRequest,
    @Query() { source }: StartImport,
    @CurrentPrincipal() caller: Principal,
    @CurrentChange() context: ChangeContext,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImportView> {
    const answer = await this.writer.start({ request, source, caller, context, key });
    reply.status(answer.status).headers(answer.headers);
    return answer.body;
  }

  @Get()
  @Allow('imports:write')
  @ApiOperation({ summary: 'Imports', description: 'Newest first.' })
  @ApiOkResponse({ type: ImportPage })
  async list(
    @CurrentPrincipal() caller: Principal,
    @Query() query: PageQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImportPage> {
    const page = await this.reader.list(caller, query);
    const link = linkHeader(request, page.nextCursor);
    if (link) reply.header('link', link);
    return { ...page, items: page.items.map(viewOf) };
  }

  @Get(':id')
  @Allow('imports:write')
  @ApiOperation({ summary: 'How far an import is, and what was wrong with which line' })
  @ApiOkResponse({ type: ImportDetails })
  @ApiNotFoundResponse({ description: 'No such import, or one of another region' })
  get(
    @Param('id', ParseUUIDPipe) id: string,
    @CurrentPrincipal() caller: Principal,
    @Query() { errorsCursor }: ErrorsQuery,
  ): Promise<ImportDetails> {
    return this.reader.get(caller, id, errorsCursor);
  }
}
