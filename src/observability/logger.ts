import { destination, type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { build as prettyStream } from 'pino-pretty';
import type { Config } from '../config/config.js';
import { describeError } from './describe-error.js';

/** What the edge may see of a credential, in whatever object it is logged. */
const SECRETS = ['authorization', 'cookie', 'password', 'accessToken', 'refreshToken', 'token', 'secret'];

type LogConfig = Pick<Config, 'logLevel' | 'production' | 'region'>;

/**
 * The process's one logger: JSON lines, or text where a developer watches. Nothing that it writes may
 * hold a patient's data: errors lose their values ({@link describeError}), requests and answers are
 * reduced to their method and status, and no URL, header or body is written.
 */
export function createLogger(config: LogConfig, stream: DestinationStream = outputFor(config)): Logger {
  return pino(
    {
      level: config.logLevel,
      base: { region: config.region },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
      serializers: {
        err: describeError,
        error: describeError,
        req: ({ method }: { method?: string }) => ({ method }),
        res: ({ statusCode }: { statusCode?: number }) => ({ status: statusCode }),
      },
    },
    stream,
  );
}

function outputFor({ production }: LogConfig): DestinationStream {
  if (process.stdout.isTTY && !production)
    return prettyStream({ colorize: true, ignore: 'region', sync: true });
  return destination({ fd: 1, sync: false });
}
