import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Config } from '../config/config.js';
import { Metrics } from '../observability/metrics.js';
import { AcceptGuard } from './accept.guard.js';
import { registerBodyParsers } from './body-parsers.js';
import { closeInTime } from './closing.js';
import { IdempotencyKeyGuard } from './idempotency-key.guard.js';
import { serveOpenApi } from './openapi.js';
import { ProblemFilter } from './problem.filter.js';
import { QueryGuard } from './query.guard.js';
import { leaveTrail } from './request-trail.js';
import { collectRoutes } from './route-list.js';
import { StorageRoom } from './storage-room.js';
import { InputPipe } from './validation.js';

const AT_THE_ROOT = ['health/live', 'health/ready', 'metrics', 'console', 'console/*path'];
const DAY_S = 86_400;

/**
 * Everything between the socket and the controllers. Call it once, before the application listens or
 * is initialised, on an application made with `createHttpAdapter` that imports `HttpModule`.
 */
export async function configureHttp(app: NestFastifyApplication, config: Config): Promise<void> {
  const instance = app.getHttpAdapter().getInstance();
  leaveTrail(instance, app.get(Metrics));
  closeInTime(instance);
  registerBodyParsers(instance);
  app.setGlobalPrefix('api/v1', { exclude: AT_THE_ROOT });
  app.useGlobalFilters(new ProblemFilter(collectRoutes(instance), app.get(StorageRoom)));
  app.useGlobalGuards(new AcceptGuard(), new QueryGuard(), new IdempotencyKeyGuard());
  app.useGlobalPipes(new InputPipe());
  secureAnswers(app);
  allowOrigins(app, config.corsOrigins);
  serveOpenApi(app);
}

/** Nothing comes from another host, no script is inline, and no other site frames a page. */
function secureAnswers(app: NestFastifyApplication): void {
  const self = ["'self'"];
  const none = ["'none'"];
  app.useSecurityHeaders({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: self,
        scriptSrc: self,
        // The Swagger UI and the console set styles as they run.
        styleSrc: [...self, "'unsafe-inline'"],
        imgSrc: [...self, 'data:'],
        fontSrc: [...self, 'data:'],
        objectSrc: none,
        baseUri: self,
        formAction: self,
        frameAncestors: none,
      },
    },
    strictTransportSecurity: { maxAge: 365 * DAY_S, includeSubDomains: false },
    xFrameOptions: { action: 'deny' },
  });
}

function allowOrigins(app: NestFastifyApplication, origins: readonly string[]): void {
  if (origins.length === 0) return;
  app.enableCors({
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [
      'Authorization',
      'Content-Type',
      'If-Match',
      'Idempotency-Key',
      'Prefer',
      'X-Request-Id',
    ],
    exposedHeaders: [
      'ETag',
      'Link',
      'Location',
      'Retry-After',
      'X-Request-Id',
      'X-Sync-State',
      'Idempotency-Replayed',
    ],
    maxAge: 600,
  });
}
