import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import type { Config } from './config/config.js';
import type { DatabaseUrls } from './databases/databases.module.js';
import { configureHttp } from './http/configure-http.js';
import { createHttpAdapter } from './http/http-adapter.js';
import { createLogger } from './observability/logger.js';
import { NestLogger } from './observability/nest-logger.js';

/** The whole application, not listening yet. Rejects when the node's own database cannot be used. */
export async function createApp(
  config: Config,
  urls: DatabaseUrls,
  logger: Logger = createLogger(config),
): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forNode(config, urls),
    createHttpAdapter(logger),
    { abortOnError: false, logger: new NestLogger(logger) },
  );
  await configureHttp(app, config);
  return app;
}
