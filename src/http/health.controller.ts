import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { Problem } from './problem.js';
import { Public } from './policy.js';
import { type CentralHealth, DatabaseHealth } from './database-health.js';

/** For the supervisor and the load balancer, at the root: `/health/live` and `/health/ready`. */
@ApiExcludeController()
@Public()
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly databases: DatabaseHealth,
  ) {}

  /** The process answers. */
  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** The node can serve: its own database answers. Central is told of, and never decides. */
  @Get('ready')
  async ready(): Promise<HealthCheckResult> {
    const central = this.databases.central();
    try {
      const result = await this.health.check([() => this.databases.home()]);
      return { ...result, details: { ...result.details, central: await central } };
    } catch (error) {
      throw notReady(error, await central);
    }
  }
}

/** Terminus throws its findings; they are what the supervisor wants to read. */
function notReady(error: unknown, central: CentralHealth): unknown {
  if (!(error instanceof ServiceUnavailableException)) return error;
  const { details } = error.getResponse() as HealthCheckResult;
  return new Problem(503, 'not-ready', 'This node cannot serve now', {
    extra: { details: { ...details, central } },
    cause: error,
  });
}
