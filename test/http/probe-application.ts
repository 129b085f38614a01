import { Readable, Writable } from 'node:stream';
import {
  Body,
  Controller,
  Get,
  Module,
  Param,
  ParseUUIDPipe,
  Patch,
  Post,
  Query,
  Req,
  Sse,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiProduces } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsArray, IsIn, IsInt, IsOptional, IsString, Max, MinLength, ValidateNested } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { NEVER, of } from 'rxjs';
import { type Config, loadConfig } from '../../src/config/config.js';
import { DatabasesModule } from '../../src/databases/databases.module.js';
import { MALFORMED } from '../../src/http/check.js';
import { configureHttp } from '../../src/http/configure-http.js';
import { createHttpAdapter } from '../../src/http/http-adapter.js';
import { HttpModule } from '../../src/http/http.module.js';
import { PageQuery } from '../../src/http/page.js';
import { ReadOnly } from '../../src/http/read-only.js';
import { StreamedBody } from '../../src/http/streamed-body.decorator.js';
import { createLogger } from '../../src/observability/logger.js';
import { NestLogger } from '../../src/observability/nest-logger.js';
import { CENTRAL, REGIONALE } from '../../src/routing/connection-names.js';
import { DataRouter } from '../../src/routing/data-router.js';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';

class Place {
  @IsString()
  city!: string;

  @IsInt()
  @Max(90)
  @IsOptional()
  latitude?: number;
}

@ReadOnly('id', 'version')
class Draft {
  @IsString()
  @MinLength(2)
  name!: string;

  @IsOptional()
  @ValidateNested()
  @Type(() => Place)
  place?: Place;

  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Place)
  places?: Place[];
}

class Search extends PageQuery {
  @IsOptional()
  @IsString()
  q?: string;

  @IsOptional()
  @IsIn(['name', '-name'], { context: MALFORMED })
  sort?: string;
}

@Controller('probes')
class ProbeController {
  constructor(private readonly router: DataRouter) {}

  @Get()
  list(@Query() query: Search): object {
    return { ...query };
  }

  @Post()
  create(@Body() draft: Draft): object {
    return { ...draft };
  }

  @Patch(':id')
  change(@Param('id', ParseUUIDPipe) id: string, @Body() draft: Draft): object {
    return { id, ...draft };
  }

  @Get('sql')
  async sql(@Query('statement') statement: string): Promise<unknown> {
    return this.router.home.query(statement);
  }

  @Get('text')
  async text(@Query('value') value: string): Promise<unknown> {
    return this.router.home.query('SELECT $1::text AS text', [value]);
  }

  @Get('parsed')
  parsed(@Query('text') text: string): unknown {
    return JSON.parse(text);
  }

  @Get('failure')
  fail(): never {
    throw new TypeError('a detail for the log alone');
  }

  @Get('csv')
  @ApiProduces('text/csv')
  csv(): string {
    return 'a,b';
  }

  @Sse('events')
  events(): unknown {
    return of({ data: 'one' });
  }

  @Sse('endless')
  endless(): unknown {
    return NEVER;
  }

  @Post('lines')
  @StreamedBody()
  async lines(@Req() request: FastifyRequest): Promise<object> {
    const chunks: Buffer[] = [];
    for await (const chunk of request.body as Readable) chunks.push(chunk as Buffer);
    return { bytes: Buffer.concat(chunks).length };
  }
}

export interface ProbeApplication {
  readonly url: string;
  readonly app: NestFastifyApplication;
  readonly databases: TestDatabases;
  readonly router: DataRouter;
  /** Every line logged so far. */
  readonly log: readonly string[];
  stop(): Promise<void>;
}

/** The edge, as the application has it, in front of a few routes of the tests' own. */
export async function startProbe(environment: Record<string, string> = {}): Promise<ProbeApplication> {
  const databases = await cloneDatabases();
  const config = loadConfig({
    DATABASE_REGIONALE_URL: databases.regionaleUrl,
    DATABASE_DEFAULT_URL: databases.centralUrl,
    MEDLINK_LOG_LEVEL: 'trace',
    ...environment,
  });
  const log: string[] = [];
  const app = await createProbe(config, log);
  await app.listen(0, '127.0.0.1');
  return {
    url: await app.getUrl(),
    app,
    databases,
    router: app.get(DataRouter),
    log,
    async stop() {
      await app.close();
      await databases.drop();
    },
  };
}

async function createProbe(config: Config, log: string[]): Promise<NestFastifyApplication> {
  const urls = { [REGIONALE]: config.regionaleUrl, [CENTRAL]: config.centralUrl };
  const logger = createLogger(
    config,
    new Writable({
      write(line, _encoding, done) {
        log.push(String(line));
        done();
      },
    }),
  );
  @Module({ imports: [HttpModule, DatabasesModule.forNode(config, urls)], controllers: [ProbeController] })
  class ProbeModule {}
  const app = await NestFactory.create<NestFastifyApplication>(ProbeModule, createHttpAdapter(logger), {
    abortOnError: false,
    logger: new NestLogger(logger),
  });
  await configureHttp(app, config);
  return app;
}
