import { Controller, Get } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { Public } from './policy.js';
import { DatabaseHealth } from './database-health.js';

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
    return this.health.check([() => this.databases.home(), () => this.databases.central()]);
  }
}
