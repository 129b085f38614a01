import { types } from 'node:util';
import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';
import { describeError, framesOf } from './describe-error.js';

type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/**
 * Nest's logger, writing to the process's own. `logger.log({ ...fields, msg })` writes the fields;
 * the last argument, when it is a text, is the context, as in Nest.
 */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  private write(level: Level, message: unknown, rest: readonly unknown[]): void {
    if (!this.logger.isLevelEnabled(level)) return;
    const texts = rest.filter((value) => typeof value === 'string');
    const stack = texts.find((text) => /\n\s+at /.test(text));
    const error = rest.find(types.isNativeError);
    const fields = {
      context: texts.findLast((text) => text !== stack),
      ...(stack === undefined ? {} : { stack: framesOf({ stack }) }),
      ...(error === undefined ? {} : { err: describeError(error) }),
    };
    if (types.isNativeError(message)) this.logger[level]({ ...fields, err: message }, 'Error');
    else if (typeof message === 'object' && message !== null) this.logger[level]({ ...fields, ...message });
    else this.logger[level](fields, String(message));
  }
}
