import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController, ApiProduces } from '@nestjs/swagger';
import { Metrics } from '../observability/metrics.js';
import { Public } from './policy.js';

/** For Prometheus, at the root: `/metrics`. It holds counts and times, and nobody's data. */
@ApiExcludeController()
@Public()
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiProduces('text/plain', 'application/openmetrics-text')
  async read(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}
