import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import type { Config } from './config/config.js';
import type { DatabaseUrls } from './databases/databases.module.js';

/** The whole application, not listening yet. Rejects when the node's own database cannot be used. */
export async function createApp(config: Config, urls: DatabaseUrls): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forNode(config, urls),
    new FastifyAdapter(),
    { abortOnError: false, bufferLogs: true },
  );
  return app;
}
